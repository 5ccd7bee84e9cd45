/** The starters of the real servers, and the receiver: what every other test of this ring builds on. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { startEjabberd } from "../support/ejabberd.ts";
import { startProsody } from "../support/prosody.ts";
import type { RealServer, RealServerOptions } from "../support/real-server.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "../support/receiver.ts";

const startTimeoutMs = 60_000;
const accounts = { "alice@example.com": "secret", "bob@example.com": "pässwörd :€" };

const starters: [string, (options: RealServerOptions) => Promise<RealServer>][] = [
  ["Prosody", startProsody],
  ["ejabberd", startEjabberd],
];

describe.each(starters)("a throw-away %s", (_name, startServer) => {
  let server: RealServer;
  const receivers: Receiver[] = [];
  beforeAll(async () => {
    server = await startServer({ accounts });
  }, startTimeoutMs);
  afterAll(async () => {
    await Promise.all(receivers.map((receiver) => receiver.close()));
    await server.stop();
    expect(existsSync(server.folder)).toBe(false);
  }, startTimeoutMs);

  async function login(jid: keyof typeof accounts, options: Partial<ReceiverOptions> = {}): Promise<Receiver> {
    const receiver = await startReceiver({
      port: server.c2sPort,
      jid,
      password: accounts[jid],
      ca: server.authority.certificatePem,
      ...options,
    });
    receivers.push(receiver);
    return receiver;
  }

  async function exchange(): Promise<void> {
    const bob = await login("bob@example.com");
    const alice = await login("alice@example.com", { security: "direct", port: server.directTlsPort });
    const html =
      "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>hi</body></html>";
    alice.send(`<message to='bob@example.com' type='chat' id='m1'><body>hi &lt; ö 😀</body>${html}</message>`);
    const message = await bob.nextMessage();
    const { from, to, type, id, body, raw } = message;
    expect({ from, to, type, id, body }).toEqual({
      ...{ from: alice.jid, to: "bob@example.com", type: "chat", id: "m1", body: "hi < ö 😀" },
    });
    expect(raw).toStartWith("<message ");
    expect(message.html).toBe(html);
    await Promise.all([alice.close(), bob.close()]);
  }

  test("carries a message from one receiver to another, over STARTTLS and direct TLS", exchange);

  test(
    "comes back on the same ports after a restart, and after it was killed",
    async () => {
      const witness = await login("bob@example.com");
      await server.restart();
      await witness.closed;
      await exchange();
      await server.kill();
      await expect(login("bob@example.com")).rejects.toThrow();
      await server.start();
      await exchange();
    },
    startTimeoutMs,
  );

  test("changes accounts while it runs", async () => {
    const carol = { jid: "carol@example.com", port: server.c2sPort, ca: server.authority.certificatePem };
    const open = async (password: string) => (await startReceiver({ ...carol, password })).close();
    await server.register(carol.jid, "first");
    await open("first");
    await server.changePassword(carol.jid, "second: é\"'\\");
    await expect(open("first")).rejects.toThrow("not-authorized");
    await open("second: é\"'\\");
    await server.deleteAccount(carol.jid);
    await expect(open("second: é\"'\\")).rejects.toThrow("not-authorized");
    await expect(server.register("alice@example.com", "again")).rejects.toThrow();
  });
});

describe.each(starters)("a throw-away %s without TLS", (_name, startServer) => {
  test(
    "takes PLAIN in the clear, has rooms, and serves several domains",
    async () => {
      const server = await startServer({
        domains: ["example.com", "example.org"],
        accounts: { "alice@example.org": "secret" },
        security: "plain",
        roomsDomain: "conference.example.com",
      });
      try {
        const options = {
          port: server.c2sPort,
          jid: "alice@example.org",
          password: "secret",
          security: "plain",
        } as const;
        const alice = await startReceiver(options);
        alice.send(
          `<presence to='room@conference.example.com/me'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
        );
        await alice.received((stanza) => stanza.attributes["from"] === "room@conference.example.com/me");
        await alice.close();
      } finally {
        await server.stop();
      }
    },
    startTimeoutMs,
  );
});
