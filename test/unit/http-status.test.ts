/** The status table: each row that HTTP alone can produce. */

import { describe, expect, test } from "bun:test";
import { type Code, Failure } from "../../src/errors.ts";
import { alice, exchange, startGateway } from "../support/http-gateway.ts";

const challenge = 'Basic realm="post-msg", charset="UTF-8"';
const formats = "text/plain, application/x-www-form-urlencoded, multipart/form-data, application/json";
const json = { "Content-Type": "application/json" };
const form = { "Content-Type": "application/x-www-form-urlencoded" };

interface Wrong {
  readonly path?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly method?: string;
  /** What the reply's headers must hold. */
  readonly says?: Readonly<Record<string, string>>;
  /** The field that is named. */
  readonly pointer?: string;
}

const rows: readonly (readonly [status: number, code: Code, why: string, request: Wrong])[] = [
  [400, "bad_json", "undecodable JSON", { body: '{"body":', headers: json }],
  [400, "bad_form", "a form that is not UTF-8", { body: "body=%ff", headers: form }],
  [400, "bad_text", "a text that is not UTF-8", { body: Buffer.from([0xff]) }],
  [400, "bad_path", "percent-encoding that is not UTF-8", { path: "/msg/%ff" }],
  [400, "bad_path", "percent-encoding without digits", { path: "/msg/%zz" }],
  [400, "malformed_html", "malformed html", { body: '{"html":"<p>"}', headers: json, pointer: "/html" }],
  [
    401,
    "credentials_missing",
    "no credentials",
    { headers: { Authorization: undefined }, says: { "www-authenticate": challenge } },
  ],
  [
    401,
    "credentials_unusable",
    "undecodable credentials",
    { headers: { Authorization: "Basic %" }, says: { "www-authenticate": challenge } },
  ],
  [
    403,
    "host_not_allowed",
    "a sender from another domain",
    { headers: { Authorization: `Basic ${btoa("eve@elsewhere.net:x")}` } },
  ],
  [403, "cross_site", "a browser on another site's page", { headers: { "Sec-Fetch-Site": "cross-site" } }],
  [404, "no_such_path", "another path", { path: "/message/bob" }],
  [404, "no_such_path", "a longer first segment", { path: "/msgbob" }],
  [404, "no_such_path", "the root", { path: "/" }],
  [405, "method_not_allowed", "GET", { method: "GET", says: { allow: "POST, OPTIONS" } }],
  [
    405,
    "method_not_allowed",
    "PUT on the bare path",
    { path: "/msg", method: "PUT", says: { allow: "POST, OPTIONS" } },
  ],
  [413, "body_too_large", "a body over the limit", { body: "x".repeat(65) }],
  [
    415,
    "unsupported_media_type",
    "another media type",
    { headers: { "Content-Type": "application/xml" }, says: { "accept-post": formats } },
  ],
  [
    415,
    "unsupported_media_type",
    "what is no media type",
    { headers: { "Content-Type": "text" }, says: { "accept-post": formats } },
  ],
  [
    415,
    "unsupported_media_type",
    "a charset nobody knows",
    { headers: { "Content-Type": "text/plain; charset=utf-7" }, says: { "accept-post": formats } },
  ],
  [
    415,
    "unsupported_content_encoding",
    "a compressed body",
    { headers: { "Content-Encoding": "gzip" }, says: { "accept-encoding": "identity", "accept-post": formats } },
  ],
  [422, "no_recipient", "no recipient", { path: "/msg/" }],
  [422, "bad_recipient", "a recipient that is no JID", { path: "/msg/bob@" }],
  [422, "recipient_conflict", "two recipients", { body: '{"to":"carol@example.com","body":"hi"}', headers: json }],
  [422, "bad_type", "type bogus", { body: '{"type":"bogus","body":"hi"}', headers: json, pointer: "/type" }],
  [422, "bad_type", "type error", { body: "type=error&body=hi", headers: form, pointer: "/type" }],
  [422, "unknown_field", "an unknown field", { body: '{"bodi":"hi"}', headers: json, pointer: "/bodi" }],
  [422, "bad_field", "a field of the wrong type", { body: '{"body":1}', headers: json, pointer: "/body" }],
  [422, "forbidden_character", "a character XML cannot carry", { body: "a\u0000", pointer: "/body" }],
  [422, "empty_message", "nothing to say", { body: "" }],
  [422, "kind_not_offered", "presence", { body: '{"kind":"presence"}', headers: json, pointer: "/kind" }],
  [
    403,
    "foreign_sender",
    "another sender",
    { body: '{"from":"eve@example.com","body":"a"}', headers: json, pointer: "/from" },
  ],
];

describe("a wrong request", () => {
  test.each(rows)("%d %s: %s", async (status, code, _, wrong) => {
    await using gateway = await startGateway({ maxBodyBytes: 64 });
    const { path = "/msg/bob@example.com", headers, method = "POST", says = {}, pointer } = wrong;
    const body = method === "GET" ? undefined : (wrong.body ?? "hi");
    const response = await gateway.post(path, body, headers, method);
    const requestId = response.headers.get("x-request-id") ?? "";
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: expect.any(String),
      status,
      detail: expect.stringMatching(/^[A-Z].{10,}[.?]$/s),
      code,
      outcome: "not_sent",
      request_id: requestId,
      ...(pointer === undefined ? {} : { pointer }),
    });
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    for (const [name, value] of Object.entries(says)) expect([name, response.headers.get(name)]).toEqual([name, value]);
    expect(gateway.deliveries).toEqual([]);
    expect(gateway.lines).toMatchObject([{ requestId, status, failure: { code, outcome: "not_sent" } }]);
  });

  test("403 for a recipient outside the host's list, judged by sender and recipient", async () => {
    await using gateway = await startGateway({
      mayReceive: (sender, recipient) => sender.bare === "alice@example.com" && recipient.bare === "carol@example.com",
    });
    const refused = await gateway.post("/msg/bob", "hi");
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: "recipient_not_allowed" });
    expect((await gateway.post("/msg/carol/desk", "hi")).status).toBe(201);
  });

  test.each([
    ["Authorization", [`Authorization: ${alice}`, `Authorization: ${alice}`]],
    ["an empty and a good Authorization", ["Authorization:", `Authorization: ${alice}`]],
    ["two schemes", ["Authorization: Bearer abc", `Authorization: ${alice}`]],
    ["two other schemes", ["Authorization: Bearer abc", 'Authorization: Digest username="a", realm="b"']],
    ["Content-Type", [`Authorization: ${alice}`, "Content-Type: text/plain", "Content-Type: text/plain"]],
    ["Origin", [`Authorization: ${alice}`, "Origin: http://gw", "Origin: http://gw"]],
  ])("400 for a header sent twice: %s", async (_, lines) => {
    await using gateway = await startGateway();
    const reply = await exchange(gateway.port, ["POST /msg/bob HTTP/1.1", "Host: gw", ...lines], "hi");
    expect(reply).toStartWith("HTTP/1.1 400");
    expect(reply).toContain('"code":"duplicate_header"');
  });

  test("400 for two Host headers where the host matters", async () => {
    await using gateway = await startGateway();
    const lines = [
      "POST /msg/bob HTTP/1.1",
      "Host: example.com",
      "Host: example.org",
      `Authorization: Basic ${btoa("alice:secret")}`,
    ];
    expect(await exchange(gateway.port, lines, "hi")).toContain('"code":"duplicate_header"');
  });

  test("405 for a method that HTTP libraries do not know", async () => {
    await using gateway = await startGateway();
    const reply = await exchange(gateway.port, ["PROPFIND /msg/bob HTTP/1.1", "Host: gw"]);
    expect(reply).toStartWith("HTTP/1.1 405");
  });

  test("413 for a chunked body over the limit, which declares no length", async () => {
    await using gateway = await startGateway({ maxBodyBytes: 64 });
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let index = 0; index < 9; index++) controller.enqueue(Buffer.from("12345678"));
        controller.close();
      },
    });
    const response = await gateway.post("/msg/bob", chunks);
    expect(response.status).toBe(413);
    const detail = "The body is larger than 64 bytes, which is the most that [http] max_body allows.";
    expect(await response.json()).toMatchObject({ code: "body_too_large", detail });
  });

  test("leaves the connection usable when its body was not read", async () => {
    await using gateway = await startGateway({ maxBodyBytes: 64 });
    for (let index = 0; index < 3; index++)
      expect((await gateway.post("/msg/bob", "x".repeat(200_000))).status).toBe(413);
    expect((await gateway.post("/msg/bob", "hi")).status).toBe(201);
  });
});

describe("the order of judgement", () => {
  const faults: readonly (readonly [code: Code, fault: Wrong])[] = [
    ["bad_path", { path: "/msg/%ff" }],
    ["cross_site", { headers: { "Sec-Fetch-Site": "cross-site" } }],
    ["credentials_unusable", { headers: { Authorization: "Basic" } }],
    ["host_not_allowed", { headers: { Authorization: `Basic ${btoa("eve@elsewhere.net:x")}` } }],
    ["unsupported_content_encoding", { headers: { "Content-Encoding": "br" } }],
    ["body_too_large", { body: "x".repeat(65) }],
    ["empty_message", { body: "" }],
  ];

  test.each(faults.map(([code], index) => [code, index] as const))(
    "%s comes before what follows it",
    async (code, index) => {
      await using gateway = await startGateway({ maxBodyBytes: 64 });
      const [first, ...later] = faults.slice(index).map(([, fault]) => fault);
      const all = Object.assign({}, ...later.toReversed(), first) as Wrong;
      const headers = Object.assign({}, ...later.toReversed().map((fault) => fault.headers), first?.headers);
      const response = await gateway.post(all.path ?? "/msg/bob", all.body ?? "hi", headers);
      expect(await response.json()).toMatchObject({ code });
    },
  );
});

test("a sender's domain that may not send is told which table it needs", async () => {
  await using gateway = await startGateway();
  const response = await gateway.post("/msg/bob", "hi", { Authorization: `Basic ${btoa("eve@elsewhere.net:x")}` });
  const detail = 'Users of "elsewhere.net" may not send through this gateway; it needs [hosts."elsewhere.net"].';
  expect(await response.json()).toMatchObject({ code: "host_not_allowed", detail });
});

describe("what deliver throws", () => {
  test.each([
    ["credentials_rejected", 401],
    ["item_not_found", 404],
    ["conflict", 409],
    ["certificate_expired", 502],
    ["server_unreachable", 503],
    ["remote_server_timeout", 504],
    ["ack_timeout", 504],
  ] as const)("%s is a %d", async (code, status) => {
    const failure = new Failure(code, "It could not be done.", { cause: new Error("upstream's own words") });
    await using gateway = await startGateway({ deliver: () => Promise.reject(failure) });
    const response = await gateway.post("/msg/bob", "hi");
    expect(response.status).toBe(status);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ status, code, outcome: failure.outcome, detail: "It could not be done." });
    expect(text).not.toContain("upstream");
    expect(gateway.lines).toMatchObject([{ status, failure }]);
  });

  test("unforeseen is a 500 with a fixed sentence, its cause in the log alone", async () => {
    const fault = new TypeError("secret internals");
    await using gateway = await startGateway({ deliver: () => Promise.reject(fault) });
    const response = await gateway.post("/msg/bob", "hi");
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: "internal_error", outcome: "not_sent" });
    expect(text).not.toContain("secret");
    expect(gateway.lines).toMatchObject([{ status: 500, failure: { code: "internal_error", cause: fault } }]);
  });
});
