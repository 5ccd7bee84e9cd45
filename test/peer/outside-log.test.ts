/** The log as an operator reads it: the real app, the scripted peer. */

import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { type AppGatewayOptions, type Gateway, type LogLine, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

let peer: Peer;
let gateway: Gateway;
afterEach(async () => {
  await gateway?.stop();
  await peer?.stop();
});

async function begin(behaviour: PeerOptions = {}, options: Partial<AppGatewayOptions> = {}): Promise<void> {
  peer = await startPeer(behaviour);
  gateway = await startGateway({ hosts: hostOf(peer, { grace: "0s" }), logLevel: "info", ...options });
}

const isClosing = ({ msg }: LogLine) => /^request (served|refused|failed)/.test(msg);
const closing = (id: string) => (line: LogLine) => isClosing(line) && line["request_id"] === id;
const send = (id: string, body: string, user = "alice@example.com:secret", headers: Record<string, string> = {}) =>
  gateway.post("/msg/bob@example.com/phone", body, { user, headers: { "X-Request-Id": id, ...headers } });

describe("the closing line of a request", () => {
  test("says what was answered, who sent to whom as hashes, and where the time went", async () => {
    await begin();
    const { id } = JSON.parse(await (await send("one", "hi")).text());
    const line = await gateway.logged(closing("one"));
    expect(line).toEqual({
      level: "info",
      time: expect.any(String),
      request_id: "one",
      method: "POST",
      status: 201,
      outcome: "sent",
      domain: "example.com",
      from: expect.stringMatching(/^jid:[0-9a-f]{12}$/),
      to: expect.stringMatching(/^jid:[0-9a-f]{12}$/),
      id,
      ms: expect.any(Number),
      login_ms: expect.any(Number),
      send_ms: expect.any(Number),
      ack_ms: expect.any(Number),
      msg: "request served",
    });
    const [login, sent, ack, all] = ["login_ms", "send_ms", "ack_ms", "ms"].map((name) => Number(line[name]));
    expect(login).toBeGreaterThan(1);
    expect((login ?? 0) + (sent ?? 0) + (ack ?? 0)).toBeLessThanOrEqual((all ?? 0) + 0.3);
    await send("two", "hi");
    expect(await gateway.logged(closing("two"))).toMatchObject({ from: line["from"], to: line["to"] });
    expect(line["from"]).not.toBe(line["to"]);
  });

  test("of several recipients comes behind a line for each, with its own id, times and refusal", async () => {
    await begin({
      onStanza: ({ name, attributes }, connection) => {
        if (name !== "message" || attributes["to"] !== "nobody@example.com") return false;
        const error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        connection.deliver(
          `<message type='error' id='${attributes["id"]}' from='nobody@example.com'>${error}</message>`,
        );
        return true;
      },
    });
    const response = await gateway.post("/msg/bob@example.com,nobody@example.com,b%20b@", "hi", {
      headers: { "X-Request-Id": "three" },
    });
    const { results } = JSON.parse(await response.text());
    const line = await gateway.logged(closing("three"));
    expect(line).toMatchObject({ level: "info", status: 207, recipients: 3, msg: "request served in part" });
    for (const name of ["to", "id", "code", "outcome", "login_ms"]) expect(line).not.toHaveProperty(name);
    const copies = gateway.lines.filter(({ request_id, msg }) => request_id === "three" && msg.startsWith("message"));
    const hash = expect.stringMatching(/^jid:[0-9a-f]{12}$/);
    const times = { send_ms: expect.any(Number), ack_ms: expect.any(Number) };
    const [sent, refused] = results;
    expect(copies).toMatchObject([
      { status: 201, outcome: "sent", to: hash, id: sent.id, ...times, msg: "message sent" },
      { status: refused.status, code: "service_unavailable", to: hash, id: refused.id, reason: expect.any(String) },
      { status: 422, outcome: "not_sent", code: "bad_recipient", msg: "message refused" },
    ]);
    expect(Number(copies[0]?.["login_ms"])).toBeLessThanOrEqual(Number(line["ms"]));
  });

  test("of several recipients is one line where the caller is to blame", async () => {
    await begin();
    await gateway.post("/msg/bob@example.com,carol@example.com", "hi", { user: "alice@example.com:wrong" });
    const line = await gateway.logged(isClosing);
    expect(line).toMatchObject({ status: 401, code: "credentials_rejected", client: "127.0.0.1", recipients: 2 });
    expect(gateway.lines.filter(({ msg }) => msg.startsWith("message"))).toEqual([]);
  });

  test.each([
    ["debug", false],
    ["info", true],
  ] as const)("names whole addresses at level %s with jids = %p", async (logLevel, jids) => {
    await begin({}, { logLevel, jids });
    await send("one", "hi");
    expect(await gateway.logged(closing("one"))).toMatchObject({ from: "alice@example.com", to: "bob@example.com" });
    expect(await gateway.logged(({ msg }) => msg === "logged in")).toMatchObject({ from: "alice@example.com" });
  });

  test("has the caller's address where a login was refused, and nowhere else", async () => {
    await begin();
    await send("good", "hi");
    await send("wrong", "hi", "alice@example.com:wrong");
    await send("foreign", "hi", "alice@example.net:x");
    await send("empty", "");
    expect(await gateway.logged(closing("good"))).not.toHaveProperty("client");
    expect(await gateway.logged(closing("empty"))).not.toHaveProperty("client");
    expect(await gateway.logged(closing("wrong"))).toMatchObject({ status: 401, client: "127.0.0.1" });
    const reason = expect.stringContaining("no section [hosts]");
    expect(await gateway.logged(closing("foreign"))).toMatchObject({ status: 403, client: "127.0.0.1", reason });
  });

  test("has the server's refusal by its names, and not by its words", async () => {
    await begin({
      bounce: ({ body }) => ({ when: "before-ack", condition: "forbidden", text: `I do not like ${body}` }),
    });
    expect((await send("one", "my secret text")).status).toBe(403);
    const line = await gateway.logged(closing("one"));
    expect(line).toMatchObject({ status: 403, code: "forbidden", because: "Bounced: cancel forbidden" });
    expect(line["ack_ms"]).toBeNumber();
    expect(JSON.stringify(gateway.lines)).not.toMatch(/secret|do not like|bob@/);
  });

  test("leaves out a sentence that may quote the caller's words", async () => {
    await begin();
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const reply = await send("one", "body=CPU & my+secret+text", undefined, form);
    expect(await reply.json()).toMatchObject({ status: 422, detail: expect.stringContaining("my secret text") });
    const line = await gateway.logged(closing("one"));
    expect(line).toMatchObject({ status: 422, code: "unknown_field", outcome: "not_sent" });
    expect(line).not.toHaveProperty("reason");
    expect(JSON.stringify(gateway.lines)).not.toContain("secret text");
  });
});

test("a session that post-msg closes is not said to have been closed by the server", async () => {
  await begin({}, { settings: { sessions: { idle: "1s" } } });
  await send("one", "hi");
  const line = await gateway.logged(({ msg }) => msg === "session ended");
  expect(line).toMatchObject({ code: "stream_closed", reason: "The session was closed: nobody has used it for 1 s." });
  expect(line).not.toHaveProperty("because");
  await send("two", "hi");
  await gateway.stop();
  const ended = gateway.lines.filter(({ msg }) => msg === "session ended");
  expect(ended.at(-1)).toMatchObject({ reason: "The session was closed: post-msg stops." });
});

describe("a caller who hangs up", () => {
  const post = (id: string, headers: readonly string[], body: string) => {
    const socket = connect(gateway.port, "127.0.0.1");
    socket.on("error", () => {});
    const authorization = `Basic ${Buffer.from("alice@example.com:secret").toString("base64")}`;
    const first = ["POST /msg/bob@example.com HTTP/1.1", "Host: gw", `Authorization: ${authorization}`];
    socket.write([...first, `X-Request-Id: ${id}`, "Content-Type: text/plain", ...headers, "", body].join("\r\n"));
    return socket;
  };
  const lines = (id: string) => gateway.lines.filter(closing(id));

  test("in the middle of the body, during the login, or before the acknowledgement, leaves one closing line", async () => {
    let released = (_: string) => {};
    const held = new Promise<string>((resolve) => {
      released = resolve;
    });
    let greet = () => {};
    const greeting = new Promise<void>((resolve) => {
      greet = resolve;
    });
    await begin({
      answers: { ack: () => held, features: async (proper) => greeting.then(() => proper) },
    });
    const body = post("body", ["Content-Length: 100"], "only a part");
    const login = post("login", ["Content-Length: 2"], "hi");
    await peer.connection(1);
    body.destroy();
    await gateway.logged(closing("body"));
    login.destroy();
    greet();
    const written = post("written", ["Content-Length: 5"], "hello");
    await peer.message(({ body: text }) => text === "hello");
    written.destroy();
    // That it has gone is seen at the next request at the latest; its message is not taken back.
    await gateway.logged(closing("login"));
    released("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    await gateway.logged(closing("written"));
    await gateway.stop();
    expect(lines("body")).toMatchObject([{ code: "withdrawn", outcome: "not_sent", hung_up: true }]);
    expect(lines("login")).toMatchObject([{ code: "withdrawn", outcome: "not_sent", hung_up: true }]);
    expect(lines("written")).toMatchObject([{ status: 201, outcome: "sent", hung_up: true }]);
    expect(gateway.lines.filter(isClosing)).toHaveLength(3);
  });
});

describe("what happens on the way", () => {
  test("has a line each: the login, the lost connection, its return, the late refusal, the refused login", async () => {
    await begin({ fault: { at: "message", how: "reset", connection: 1 } });
    await send("one", "hi");
    await send("two", "hi", "alice@example.com:wrong");
    const from = (await gateway.logged(({ msg }) => msg === "logged in"))["from"];
    expect(from).toMatch(/^jid:/);
    for (const msg of ["connection lost with messages on their way", "connection is back"]) {
      expect(await gateway.logged((line) => line.msg === msg)).toMatchObject({ domain: "example.com", from });
    }
    expect(await gateway.logged(({ msg }) => msg === "login failed")).toMatchObject({
      domain: "example.com",
      from,
      client: "127.0.0.1",
      code: "credentials_rejected",
    });
  });

  test("and at level debug one for each try, with its mechanism", async () => {
    await begin({}, { logLevel: "debug" });
    await send("one", "hi");
    expect(await gateway.logged(({ msg }) => msg === "login tried")).toMatchObject({
      level: "debug",
      kind: "login",
      mechanism: "SCRAM-SHA-512",
    });
  });

  test("does not have the password, when the server says it", async () => {
    const password = "s3cret & wide";
    const spellings = [password, Buffer.from(password).toString("base64"), encodeURIComponent(password)];
    for (const text of spellings) {
      await begin({
        accounts: { "alice@example.com": password },
        fault: { at: "success", how: { saslFailure: "not-authorized", text: `No: ${text}` } },
      });
      expect((await send("one", "hi", `alice@example.com:${password}`)).status).toBe(401);
      const line = await gateway.logged(({ msg }) => msg === "login failed");
      expect(JSON.stringify(gateway.lines)).not.toMatch(/s3cret|czNjcmV0/);
      expect(line["because"]).toContain("left out");
      await gateway.stop();
      await peer.stop();
    }
  });
});
