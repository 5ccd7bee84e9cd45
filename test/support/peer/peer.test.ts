import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { eventually } from "../wait.ts";
import { givenPeer, login } from "./peer-fixture.ts";

describe("the scripted peer, behaving well", () => {
  test.each(["starttls", "direct", "plain"] as const)("takes a login and a message (%s)", async (security) => {
    const peer = await givenPeer({ security });
    const alice = await login(peer, { security });
    alice.send("<message to='bob@example.com' id='m1' type='chat'><body>hi ö</body></message>");
    expect(await peer.message()).toMatchObject({
      ...{ id: "m1", to: "bob@example.com", type: "chat", body: "hi ö", from: alice.jid },
      ...{ connection: 1, acknowledged: false },
    });
    const { attributes } = await alice.request("get", "<ping xmlns='urn:xmpp:ping'/>");
    expect([attributes["type"], peer.messages[0]?.acknowledged]).toEqual(["result", true]);
    await alice.close();
    await peer.settled(0);
    expect([peer.sawSasl, peer.connections[0]?.streamEnded]).toEqual([true, true]);
  });

  test("listens on ::1 when asked to", async () => {
    const peer = await givenPeer({ host: "::1" });
    expect((await login(peer, { host: "::1" })).jid).toStartWith("alice@example.com/");
  });

  test("keeps encrypted bytes apart from those in the clear", async () => {
    const peer = await givenPeer();
    await login(peer);
    const pieces = peer.connections[0]?.received ?? [];
    const textOf = (encrypted: boolean) =>
      Buffer.concat(pieces.filter((piece) => piece.encrypted === encrypted).map(({ bytes }) => bytes)).toString();
    expect(textOf(false)).toContain("<starttls");
    expect(textOf(false)).not.toContain("<auth");
    expect(textOf(true)).toContain("<auth");
  });

  test("refuses a wrong password", async () => {
    const peer = await givenPeer();
    await expect(login(peer, { password: "wrong" })).rejects.toThrow("<not-authorized/>");
  });

  test("does not know other domains", async () => {
    const peer = await givenPeer({ security: "plain" });
    await expect(login(peer, { jid: "alice@example.org", security: "plain" })).rejects.toThrow("host-unknown");
  });

  test("sees no SASL from a client that does not trust its certificate, and why it left", async () => {
    const peer = await givenPeer();
    const stranger = await givenPeer();
    await expect(login(peer, { ca: stranger.authority.certificatePem })).rejects.toThrow();
    await peer.settled(0);
    expect([peer.sawSasl, peer.connections[0]?.tlsError !== undefined]).toEqual([false, true]);
  });

  test("can be limited to a version of TLS that nobody should speak", async () => {
    const peer = await givenPeer({ security: "direct", minVersion: "TLSv1", maxVersion: "TLSv1" });
    await expect(login(peer, { security: "direct" })).rejects.toThrow();
    await peer.settled(0);
    expect(peer.sawSasl).toBe(false);
  });

  test("keeps nothing of clients that have left when it does not record", async () => {
    const peer = await givenPeer({ record: false, fault: { at: "auth", how: "reset" } });
    const countSockets = (): number => {
      Bun.gc(true);
      return heapStats().objectTypeCounts["TLSSocket"] ?? 0;
    };
    const before = countSockets();
    // Each is meant to fail.
    for (let attempt = 0; attempt < 30; attempt++) await login(peer).catch(() => {});
    await peer.settled(0);
    expect([peer.connectionCount, peer.connections, peer.sawSasl]).toEqual([30, [], true]);
    // The collector may miss a few of the 60: the receivers' and the peer's.
    await eventually(() => countSockets() < before + 15, 5000, "sockets to be collected");
  });
});
