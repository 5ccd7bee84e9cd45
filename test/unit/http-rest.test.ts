/** mod_rest's endpoints for messages: what goes in, and what its callers get back. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Code, Failure } from "../../src/errors.ts";
import type { Message } from "../../src/message.ts";
import { basic, type Gateway, startGateway } from "../support/http-gateway.ts";

const json = { "Content-Type": "application/json" };
const form = { "Content-Type": "application/x-www-form-urlencoded" };
const xml = { "Content-Type": "application/xmpp+xml" };
const formats =
  "text/plain, application/x-www-form-urlencoded, multipart/form-data, application/json, application/xmpp+xml";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ allowedHosts: ["example.com"] });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** The message that a request makes, which has to be a 202 without a body. */
async function sent(path: string, body: string | FormData, headers = {}): Promise<Message> {
  const before = gateway.deliveries.length;
  const response = await gateway.post(path, body, headers);
  expect([response.status, await response.text()]).toEqual([202, ""]);
  const [delivery, ...more] = gateway.deliveries.slice(before);
  if (delivery === undefined || more.length > 0) throw new Error("Not one message was delivered.");
  return delivery.message;
}

describe("a message", () => {
  test("of mod_rest's README, as XML", async () => {
    const body = `<message type="chat" to="user@example.org">
            <body>Hello!</body>
        </message>`;
    const message = await sent("/rest", body, xml);
    expect(message).toMatchObject({ type: "chat", body: "Hello!" });
    expect(message.to.full).toBe("user@example.org");
  });

  test("of mod_rest's README, as JSON", async () => {
    const body = `{
           "body" : "Hello!",
           "kind" : "message",
           "to" : "user@example.org",
           "type" : "chat"
        }`;
    const message = await sent("/rest", body, json);
    expect(message).toMatchObject({ type: "chat", body: "Hello!" });
    expect(message.to.full).toBe("user@example.org");
  });

  test("of mod_rest's README, with parameters in the path", async () => {
    const message = await sent("/rest/message/chat/john@example.com", "Hello John!", { "Content-Type": "text/plain" });
    expect(message).toMatchObject({ type: "chat", body: "Hello John!" });
    expect(message.to.full).toBe("john@example.com");
  });

  test("of mod_rest's README, to a room", async () => {
    const message = await sent("/rest/message/groupchat/room@muc.example.com", "body=beep boop&nick=Botty", form);
    expect(message).toMatchObject({ type: "groupchat", body: "beep boop", extensions: { nick: "Botty" } });
  });

  test("may name its type in the path and its recipient in the body", async () => {
    const message = await sent("/rest/message/headline", '{"to":"bob@example.com","body":"a"}', json);
    expect(message).toMatchObject({ type: "headline", body: "a" });
    expect(message.to.full).toBe("bob@example.com");
  });

  test("is normal as a stanza that names no type, and chat otherwise", async () => {
    const stanza = "<message to='bob@example.com'><body>a</body></message>";
    expect((await sent("/rest", stanza, xml)).type).toBe("normal");
    expect((await sent("/rest/message/chat", stanza, xml)).type).toBe("chat");
    expect((await sent("/rest", '{"to":"bob@example.com","body":"a"}', json)).type).toBe("chat");
  });

  test("may say twice what it says", async () => {
    const fields = { kind: "message", type: "normal", to: "bob@example.com", body: "a" };
    expect((await sent("/rest/message/normal/bob@example.com", JSON.stringify(fields), json)).type).toBe("normal");
  });

  test.each([
    ["/rest/message/chat/bob@example.com/desk%20top", "bob@example.com/desk top"],
    ["/rest/message/chat/bob%40example.com", "bob@example.com"],
    ["/rest/message/chat/bob", "bob@example.com"],
  ])("to %s", async (path, to) => {
    expect((await sent(path, "hi")).to.full).toBe(to);
  });

  test("as a multipart form", async () => {
    const data = new FormData();
    data.set("to", "bob@example.com");
    data.set("oob.url", "https://example.com/a.png");
    expect(await sent("/rest/", data)).toMatchObject({ extensions: { oob: { url: "https://example.com/a.png" } } });
  });

  test("may wait for a receipt", async () => {
    const response = await gateway.post("/rest/message/chat/bob", "hi", { Prefer: "wait=3" });
    expect([response.status, response.headers.get("preference-applied")]).toEqual([202, "wait=3"]);
    expect(gateway.deliveries.at(-1)).toMatchObject({ waitMs: 3_000, message: { requestReceipt: true } });
  });
});

describe("login", () => {
  test.each(["alice", "alice@example.com", "ALICE"])("is by the localpart alone, or the JID: %s", async (user) => {
    const response = await gateway.post("/rest/message/chat/bob", "hi", { Authorization: basic(`${user}:secret`) });
    expect(response.status).toBe(202);
    expect(gateway.deliveries.at(-1)?.credentials.account.full).toBe("alice@example.com");
  });

  test("without credentials is a 401 that asks for them", async () => {
    const response = await gateway.post("/rest", "{}", { ...json, Authorization: undefined });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toStartWith("Basic ");
    expect(await response.json()).toMatchObject({
      type: "error",
      code: 401,
      error: { type: "auth", condition: "not-authorized", extra: { code: "credentials_missing" } },
    });
  });

  test("with credentials that are no good is a 403", async () => {
    const malformed = await gateway.post("/rest", "{}", { ...json, Authorization: "Basic %" });
    expect([malformed.status, await malformed.json()]).toMatchObject([
      403,
      {
        type: "error",
        code: 403,
        status: 403,
        error: { condition: "not-authorized", extra: { code: "credentials_unusable" } },
      },
    ]);
    await using refusing = await startGateway({
      deliver: () => Promise.reject(new Failure("credentials_rejected", "The user or the password is wrong.")),
    });
    const wrong = await refusing.post("/rest/message/chat/bob@example.com", "hi");
    expect([wrong.status, await wrong.json()]).toMatchObject([
      403,
      { error: { extra: { code: "credentials_rejected" } } },
    ]);
    expect(wrong.headers.get("www-authenticate")).toBeNull();
  });
});

interface Wrong {
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}

describe("what is refused", () => {
  test.each<[status: number, condition: string, code: Code, why: string, wrong: Wrong]>([
    [422, "unsupported-stanza-type", "kind_not_offered", "presence as JSON", { body: '{"kind":"presence"}' }],
    [
      422,
      "unsupported-stanza-type",
      "kind_not_offered",
      "iq as JSON",
      { body: '{"kind":"iq","ping":true,"to":"a@b.c"}' },
    ],
    [422, "unsupported-stanza-type", "kind_not_offered", "presence as XML", { body: "<presence/>", headers: xml }],
    [
      422,
      "unsupported-stanza-type",
      "kind_not_offered",
      "iq as XML",
      { body: "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>", headers: xml },
    ],
    [422, "unsupported-stanza-type", "kind_not_offered", "something else as XML", { body: "<stream/>", headers: xml }],
    [
      422,
      "unsupported-stanza-type",
      "kind_not_offered",
      "presence in the path",
      { path: "/rest/presence/available/a@b.c" },
    ],
    [422, "unsupported-stanza-type", "kind_not_offered", "iq in the path", { path: "/rest/iq/get/example.com" }],
    [405, "not-allowed", "method_not_allowed", "a query", { path: "/rest/version/example.com", method: "GET" }],
    [404, "item-not-found", "no_such_path", "another path", { path: "/rest/echo" }],
    [404, "item-not-found", "no_such_path", "a path without a type", { path: "/rest/message" }],
    [404, "item-not-found", "no_such_path", "a path with two slashes", { path: "/rest//message/chat/bob" }],
    [422, "bad-request", "bad_type", "a type that is none", { path: "/rest/message/error/bob" }],
    [
      422,
      "bad-request",
      "bad_type",
      "two types",
      { path: "/rest/message/chat/bob", body: '{"type":"normal","body":"a"}' },
    ],
    [
      422,
      "bad-request",
      "recipient_conflict",
      "two recipients",
      { path: "/rest/message/chat/bob", body: '{"to":"carol","body":"a"}' },
    ],
    [422, "improper-addressing", "no_recipient", "no recipient", { body: '{"body":"a"}' }],
    [422, "improper-addressing", "bad_recipient", "a recipient that is none", { body: '{"to":"a@b@c","body":"a"}' }],
    [400, "bad-request", "bad_path", "a path that is not UTF-8", { path: "/rest/message/chat/%ff" }],
    [400, "not-well-formed", "bad_json", "undecodable JSON", { body: "{" }],
    [400, "not-well-formed", "bad_xml", "undecodable XML", { body: "<message", headers: xml }],
    [
      415,
      "bad-format",
      "unsupported_media_type",
      "another format",
      { headers: { "Content-Type": "application/cbor" } },
    ],
    [
      413,
      "resource-constraint",
      "body_too_large",
      "a body that is too large",
      { body: `{"body":"${"x".repeat(70_000)}"}` },
    ],
    [
      403,
      "not-authorized",
      "foreign_sender",
      "another sender",
      { body: '{"from":"eve@example.com","to":"bob","body":"a"}' },
    ],
    [
      403,
      "not-authorized",
      "foreign_sender",
      "another sender in XML",
      { body: "<message from='eve@example.com' to='bob'/>", headers: xml },
    ],
    [403, "not-authorized", "foreign_sender", "a sender that is none", { body: '{"from":"@","to":"bob","body":"a"}' }],
    [422, "bad-request", "bad_field", "a field of the wrong type", { body: '{"oob":{"url":1}}' }],
    // biome-ignore format: one row a line
  ])(
    "%d %s %s: %s",
    async (status, condition, code, _, { path = "/rest", body = "{}", headers = json, method = "POST" }) => {
      const response = await gateway.post(path, method === "GET" ? undefined : body, headers, method);
      const problem = Object(await response.json());
      expect(problem).toMatchObject({ status, code: status, type: "error", outcome: "not_sent" });
      expect(problem.error).toEqual({ type: expect.any(String), condition, text: problem.detail, extra: { code } });
      expect([response.status, response.headers.get("content-type")]).toEqual([status, "application/problem+json"]);
      if (status === 415) expect(response.headers.get("accept-post")).toBe(formats);
      if (status === 405) expect(response.headers.get("allow")).toBe("POST, OPTIONS");
    },
  );

  test.each<[code: Code, status: number, error: object]>([
    ["service_unavailable", 404, { type: "cancel", condition: "service-unavailable" }],
    ["item_not_found", 404, { type: "cancel", condition: "item-not-found" }],
    ["forbidden", 403, { type: "auth", condition: "forbidden" }],
    ["not_acceptable", 422, { type: "modify", condition: "not-acceptable" }],
    ["remote_server_not_found", 502, { type: "cancel", condition: "remote-server-not-found" }],
    ["remote_server_timeout", 504, { type: "wait", condition: "remote-server-timeout" }],
    ["conflict", 409, { type: "cancel", condition: "conflict" }],
    ["throttled", 429, { type: "wait", condition: "resource-constraint" }],
    ["internal_error", 500, { type: "cancel", condition: "internal-server-error" }],
  ])("the server's word %s has RFC 6120's condition", async (code, status, error) => {
    await using refusing = await startGateway({ deliver: () => Promise.reject(new Failure(code, "It was refused.")) });
    const response = await refusing.post("/rest/message/chat/bob@example.com", "hi");
    expect([response.status, await response.json()]).toMatchObject([status, { type: "error", code: status, error }]);
  });

  test("is what /msg refuses with other members", async () => {
    const response = await gateway.post("/msg/", "hi");
    expect(await response.json()).toMatchObject({ type: "about:blank", code: "no_recipient" });
    const asXml = await gateway.post("/msg/bob", "<message><body>a</body></message>", xml);
    expect(asXml.status).toBe(415);
  });
});

test("OPTIONS says what is taken", async () => {
  for (const path of ["/rest", "/rest/message/chat/bob"]) {
    const response = await gateway.post(path, undefined, { Authorization: undefined }, "OPTIONS");
    expect([response.status, response.headers.get("allow"), response.headers.get("accept")]).toEqual([
      204,
      "POST, OPTIONS",
      formats,
    ]);
  }
});

test("nothing is there where the settings say so", async () => {
  await using without = await startGateway({ rest: false });
  for (const path of ["/rest", "/rest/message/chat/bob@example.com"]) {
    const response = await without.post(path, "hi");
    expect([response.status, await response.json()]).toMatchObject([
      404,
      { type: "about:blank", code: "no_such_path" },
    ]);
  }
});
