/**
 * Requests made from the API's description, good ones and bad ones, to the real app: none is a fault, and every answer is
 * one that the description allows.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import fc, { type Arbitrary } from "fast-check";
import { type Json, type Operation, readApiDescription } from "../support/api-description.ts";
import { anything, fromSchema } from "../support/from-schema.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { allowed, isSoak, makeRandom, sized } from "../support/soak.ts";

const { operations, at, problemsOf } = readApiDescription();
const timeoutMs = allowed(3_600_000, 120_000);

let peer: Peer;
let gateway: Gateway;
let lines = 0;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => void rejections.push(reason);

beforeAll(async () => {
  process.on("unhandledRejection", onRejection);
  peer = await startPeer({
    record: false,
    mechanisms: ["PLAIN"],
    bounce: ({ to }) => (/^[a-m]/.test(to) ? { when: "before-ack", condition: "item-not-found" } : undefined),
  });
  gateway = await startGateway({
    hosts: hostOf(peer, { grace: "0s" }),
    settings: {
      http: { wait_max: "0s", trusted_proxies: ["127.0.0.0/8"] },
      throttle: {
        ...{ failure_delay: "0s", remember_failure: "0s", address_per_minute: 1_000_000, address_per_day: 1_000_000 },
        ...{ account_per_hour: 1_000_000, server_failures: 1_000_000, server_failures_burst: 1_000_000 },
      },
    },
    logLevel: "info",
    onLine: (line) => {
      lines += JSON.parse(line).msg.startsWith("request ") ? 1 : 0;
    },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await peer?.stop();
  process.off("unhandledRejection", onRejection);
});

interface Call {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | FormData;
}

const send = operations.filter(({ method }) => method === "post");
const good = (value: string) => Buffer.from(value).toString("base64");
const credentials = fc.oneof(
  { weight: 8, arbitrary: fc.constant(`Basic ${good("alice@example.com:secret")}`) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => `Basic ${good(text)}`) },
  { weight: 1, arbitrary: fc.constantFrom("", "Basic", "Basic ?", "Bearer x", `Basic ${good("alice@example.org:x")}`) },
);
/** What `fetch` lets through: no line ends, no NUL, one byte a character. */
const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });

function callsOf(operation: Operation): Arbitrary<Call> {
  const content = Object.entries(at("paths", operation.path, operation.method, "requestBody", "content"));
  const formats = content.map(([type]) => type);
  const drawBody = (type: string): Arbitrary<Call["body"]> => {
    const schema = schemaAt(operation, type);
    const value = fc.oneof({ weight: 4, arbitrary: fromSchema(schema) }, { weight: 1, arbitrary: anything });
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => new Uint8Array(array));
    return fc.oneof(
      { weight: 9, arbitrary: value.map((drawn) => encode(type, drawn)) },
      { weight: 1, arbitrary: bytes },
    );
  };
  const segment = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("bob", "zoe@example.com", "zoe%40example.com/x%2Fy", "example.com") },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme" }).map((text) => encodeURIComponent(text)) },
    { weight: 1, arbitrary: fc.constantFrom("%", "%ff", "..", "", "__proto__", "a@b@c", "%00") },
  );
  return fc.constantFrom(...formats).chain((type) =>
    fc.record({
      operation: fc.constant(operation),
      method: fc.oneof(
        { weight: 19, arbitrary: fc.constant("POST") },
        fc.constantFrom("GET", "PUT", "PATCH", "OPTIONS"),
      ),
      path: fc
        .record({ recipient: segment, type: fc.oneof(fc.constantFrom("chat", "normal", "headline"), segment) })
        .map((parts) => operation.path.replace("{recipient}", parts.recipient).replace("{type}", parts.type)),
      headers: fc.record(
        {
          Authorization: credentials,
          "Content-Type": fc.oneof({ weight: 9, arbitrary: fc.constant(type) }, headerText),
          Prefer: fc.oneof(fc.constantFrom("return=minimal", "wait=1", "wait=999999999999"), headerText),
          "X-Request-Id": fc.oneof(fc.constant("fuzz"), headerText),
          "X-Forwarded-For": headerText,
        },
        { requiredKeys: ["Authorization", "Content-Type"] },
      ),
      body: drawBody(type),
    }),
  );
}

function schemaAt({ path, method }: Operation, type: string): Json {
  return at("paths", path, method, "requestBody", "content", type, "schema");
}

function encode(type: string, value: unknown): Call["body"] {
  if (type === "text/plain" || type === "application/xmpp+xml") {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return type === "text/plain" ? text : `<message to='zoe@example.com'><body>${text}</body></message>`;
  }
  if (type.endsWith("json")) return JSON.stringify(value);
  const pairs = Object.entries(typeof value === "object" && value !== null ? value : { body: value }).flatMap(
    ([name, each]) =>
      [each].flat().map((one): [string, string] => [name, typeof one === "string" ? one : JSON.stringify(one)]),
  );
  if (type === "application/x-www-form-urlencoded") return new URLSearchParams(pairs).toString();
  const form = new FormData();
  for (const [name, text] of pairs) form.append(name, text.toWellFormed());
  return form;
}

test(
  "no request is a fault, and every answer is one of the description's",
  async () => {
    const { origin } = new URL(gateway.url);
    const before = ownNames();
    const seen = new Map<string, number>();
    const random = makeRandom("fuzz");
    const seed = random.integer(0, 2 ** 31);
    const check = async (call: Call) => {
      const multipart = call.body instanceof FormData && call.headers["Content-Type"] === "multipart/form-data";
      const { "Content-Type": type = "", ...others } = call.headers;
      const response = await fetch(`${origin}${call.path}`, {
        method: call.method,
        // The boundary is the client's to say.
        headers: multipart ? others : { ...others, "Content-Type": type },
        ...(call.method === "GET" ? {} : { body: call.body }),
      });
      const text = await response.text();
      const name = `${call.operation.path} ${response.status}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      judge(call, response, text);
    };
    const runs = { numRuns: sized(100_000, 2_000), seed, endOnFailure: !isSoak };
    await fc.assert(fc.asyncProperty(fc.oneof(...send.map(callsOf)), check), runs);
    expect(rejections).toEqual([]);
    expect(ownNames()).toEqual(before);
    expect(({} as Json)["polluted"]).toBeUndefined();
    const total = [...seen.values()].reduce((sum, each) => sum + each, 0);
    // Good ones and bad ones, all over the table.
    const sent = [...seen].filter(([name]) => / 20[12]$/.test(name)).reduce((sum, [, each]) => sum + each, 0);
    expect(sent).toBeGreaterThan(total / 20);
    const statuses = new Set([...seen.keys()].map((name) => name.split(" ")[1]));
    for (const status of ["201", "202", "400", "401", "403", "404", "405", "415", "422"])
      expect(statuses).toContain(status);
    expect(lines).toBe(total);
  },
  timeoutMs,
);

function judge({ operation, method }: Call, response: Response, text: string): void {
  const status = `${response.status}`;
  const rest = operation.path.startsWith("/rest");
  if (response.status === 500) throw new Error(`A fault: ${text}`);
  if (!response.headers.has("x-request-id")) throw new Error(`An answer without a request id: ${status} ${text}`);
  if (method === "OPTIONS" && status === "204") return;
  // Where a path leads elsewhere, such as to "/msg/..", the answer is the gateway's own 404.
  if (!(status in at("paths", operation.path, operation.method, "responses")))
    throw new Error(`Undocumented: ${status}`);
  if (response.status < 300) {
    if (status === "202" || response.headers.get("preference-applied")?.includes("minimal"))
      return expect(text).toBe("");
    return expect(problemsOf("Receipt", JSON.parse(text))).toEqual([]);
  }
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const problem = JSON.parse(text);
  expect(problem).toMatchObject({ status: response.status, request_id: response.headers.get("x-request-id") });
  const kind = rest && problem.type === "error" ? "RestProblem" : "Problem";
  expect(problemsOf(kind, problem)).toEqual([]);
}

function ownNames(): readonly (readonly PropertyKey[])[] {
  return [Object, Array, String, Function, Map, Promise].map(({ prototype }) => Reflect.ownKeys(prototype));
}
