/** The real app in front of real servers: what the contract promises of them, and what really arrives at bob's client. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type RealGateway, startRealGateway } from "../support/real-gateway.ts";
import { countSessions, hostsOf, realServers, type Server, startBob, startTimeoutMs } from "../support/real-servers.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const oddPassword = "pässwörd :€";
const accounts = {
  "alice@example.com": "secret",
  "bob@example.com": "secret",
  "carol@example.com": oddPassword,
  "dave@example.com": "secret",
};

/** A row of the side-by-side table: what is posted, and the text that bob then sees. */
interface Sent {
  readonly path?: string;
  readonly body: Bun.BodyInit;
  readonly contentType?: string;
  readonly text: string;
  readonly type?: string;
}

const form = "application/x-www-form-urlencoded";

const messages: readonly (readonly [string, Sent])[] = [
  ["text/plain", { body: "one", contentType: "text/plain", text: "one" }],
  ["text/plain with a charset", { body: "zwö", contentType: "text/plain; charset=utf-8", text: "zwö" }],
  ["no type at all", { body: Buffer.from("three"), text: "three" }],
  ["a form", { path: "/msg/", body: "to=bob@example.com&body=four+%26+more", contentType: form, text: "four & more" }],
  ["a form that is a plain text", { body: "hello", contentType: form, text: "hello" }],
  ["what curl -d takes for a form", { body: "load=5 high", contentType: form, text: "load=5 high" }],
  [
    "JSON",
    {
      path: "/msg",
      body: JSON.stringify({ to: "bob@example.com", type: "normal", body: "five" }),
      contentType: "application/json",
      text: "five",
      type: "normal",
    },
  ],
  ["a multipart form", { path: "/msg/", body: multipart({ to: "bob", body: "six" }), text: "six" }],
  ["a user without a host", { path: "/msg/bob", body: "seven", text: "seven" }],
  ["a headline", { body: "type=headline&body=eight", contentType: form, text: "eight", type: "headline" }],
];

function multipart(fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

describe.each(realServers)("in front of %s", (name, startServer) => {
  let started: RealGateway<Receiver>;
  let server: Server;
  let gateway: Gateway;
  let bob: Receiver;
  beforeAll(async () => {
    started = await startRealGateway(() => startServer({ accounts, remoteDomains: true }), startBob);
    ({ server, gateway, client: bob } = started);
  }, startTimeoutMs);
  afterAll(() => started?.stop(), startTimeoutMs);

  test("200 parallel first requests of one account make one session, as the server itself counts", async () => {
    const user = "dave@example.com:secret";
    const bodies = Array.from({ length: 200 }, (_, index) => `parallel ${index}`);
    const responses = await Promise.all(bodies.map((body) => gateway.post("/msg/bob@example.com", body, { user })));
    expect(responses.map(({ status }) => status)).toEqual(bodies.map(() => 201));
    expect(await countSessions(server, "dave")).toBe(1);
    const received: (string | undefined)[] = [];
    for (let count = 0; count < bodies.length; count++) received.push((await bob.nextMessage()).body);
    expect(received.sort()).toEqual(bodies.sort());
  });

  test.each(messages)("a 201 is a message at bob's client: %s", async (_, sent) => {
    const { path = "/msg/bob@example.com", body, contentType, text, type = "chat" } = sent;
    const headers = contentType === undefined ? {} : { "Content-Type": contentType };
    const response = await gateway.post(path, body, { headers });
    expect(response.status).toBe(201);
    const receipt: unknown = await response.json();
    const message = await bob.nextMessage();
    expect(message).toMatchObject({ body: text, type, to: "bob@example.com" });
    expect(message.from).toStartWith("alice@example.com/");
    expect(receipt).toEqual({ id: message.id, from: "alice@example.com", to: "bob@example.com", type });
    expect(message.raw).toContain(`urn:xmpp:sid:0`);
  });

  test("html, umlauts, emoji and odd characters arrive as they were meant", async () => {
    const body = 'Grüße & <b>kein</b> "HTML" 👩‍👩‍👧 \u0085 ]]>\n\ttab';
    const html = "<p>Grüße &amp; <strong>fett</strong><br/>👍</p>";
    const response = await gateway.post("/msg/bob", JSON.stringify({ body, html }), {
      headers: { "Content-Type": "application/json" },
    });
    expect(response.status).toBe(201);
    const message = await bob.nextMessage();
    expect(message.body).toBe(body);
    expect(message.html).toBe(
      `<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>${html}</body></html>`,
    );
  });

  test("a body of 64 KiB arrives whole", async () => {
    const body = `${"ä".repeat(32_000)}${"x".repeat(1_535)}.`;
    expect(Buffer.byteLength(body)).toBe(64 * 1024);
    expect((await gateway.post("/msg/bob", body)).status).toBe(201);
    expect((await bob.nextMessage()).body === body).toBe(true);
  });

  test("a wrong password and an unknown account are the same 401, with a challenge", async () => {
    for (const user of ["alice@example.com:wrong", "nobody@example.com:secret"]) {
      const response = await gateway.post("/msg/bob", "not to arrive", { user });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toStartWith("Basic ");
      expect(await response.json()).toMatchObject({ code: "credentials_rejected", outcome: "not_sent" });
    }
  });

  test("a password beyond ASCII logs in", async () => {
    const response = await gateway.post("/msg/bob", "odd", { user: `carol@example.com:${oddPassword}` });
    expect(response.status).toBe(201);
    expect((await bob.nextMessage()).body).toBe("odd");
  });

  test.each(["chat", "normal"])("a recipient who does not exist is a 404, if told before the ack: %s", async (type) => {
    const body = `type=${type}&body=hi`;
    const response = await gateway.post("/msg/nobody", body, { headers: { "Content-Type": form } });
    // ejabberd acknowledges first; its refusal counts only with the grace time.
    expect(name === "Prosody" ? [404] : [201, 404]).toContain(response.status);
    if (response.status === 404) expect(await response.json()).toMatchObject({ outcome: "not_sent" });
  });

  test("a recipient at an unreachable domain is a 502 or 504, or a 201 where the error comes after the ack", async () => {
    const response = await gateway.post("/msg/bob@unreachable.invalid", "hi");
    expect([201, 502, 504]).toContain(response.status);
    if (response.status !== 201) expect(await response.json()).toMatchObject({ outcome: "not_sent" });
  });

  test("direct TLS works", async () => {
    const address = { ...server, port: server.directTlsPort };
    await using direct = await startGateway({ hosts: hostOf(address, {}, "xmpps") });
    expect((await direct.post("/msg/bob", "direct")).status).toBe(201);
    expect((await bob.nextMessage()).body).toBe("direct");
  });

  test("a stop closes the sessions at the server", async () => {
    const brief = await startGateway({ hosts: hostsOf(server) });
    const before = await countSessions(server, "alice");
    expect((await brief.post("/msg/bob", "brief")).status).toBe(201);
    expect((await bob.nextMessage()).body).toBe("brief");
    expect(await countSessions(server, "alice")).toBe(before + 1);
    await brief.stop();
    expect(await countSessions(server, "alice")).toBe(before);
  });
});

describe.each(realServers)("%s without TLS", (_, startServer) => {
  test("is served over loopback with insecure_plaintext, and refused without it", async () => {
    const server = await startServer({ accounts, security: "plain" });
    try {
      await using careful = await startGateway({ hosts: hostsOf(server) });
      const refused = await careful.post("/msg/bob", "hi");
      expect([refused.status, await refused.json()]).toMatchObject([502, { code: "tls_not_offered" }]);

      await using careless = await startGateway({ hosts: hostsOf(server, { insecure_plaintext: true }) });
      const login = { port: server.c2sPort, security: "plain" } as const;
      const bob = await startReceiver({ ...login, jid: "bob@example.com", password: "secret" });
      expect((await careless.post("/msg/bob", "in the clear")).status).toBe(201);
      expect((await bob.nextMessage()).body).toBe("in the clear");
      await bob.close();
    } finally {
      await server.stop();
    }
  });
});
