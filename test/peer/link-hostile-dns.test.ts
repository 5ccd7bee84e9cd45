/** An answer of DNS leads only to host names that are outside of this machine's own, and only so often. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { DnsZone, SrvRecord } from "../support/dns-server.ts";
import { startPeer } from "../support/peer/peer.ts";
import { hang, startScript } from "../support/peer/script.ts";
import { services, startWatchedGateway, type WatchedGateway } from "../support/watched-gateway.ts";

let watched: WatchedGateway;

// A gateway each: after failures it would leave the host alone for a while, and show nothing.
beforeEach(async () => {
  watched = await startWatchedGateway();
  watched.begin();
});
afterEach(async () => {
  watched.check();
  await watched.stop();
});

describe("a hostile SRV answer", () => {
  let nth = 0;
  // Another account each time, so that no session is there already.
  const login = async () => {
    const user = `user${++nth}@example.com`;
    watched.peer.change({ accounts: { [user]: "secret" } });
    return watched.post(user);
  };
  const answers = (records: readonly SrvRecord[], changes: DnsZone = {}) =>
    watched.dns.change({
      "_xmpp-client._tcp.example.com": { SRV: records },
      "_xmpps-client._tcp.example.com": { SRV: records },
      ...changes,
    });

  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "10.0.0.1",
    "169.254.169.254",
    "localhost",
    "evil",
    "metadata",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
    "fe80::1%eth0",
    "",
    ".",
    "*.evil.example",
    "a b.evil.example",
    "evil.example/path",
    "user@evil.example",
    "evil.example:22",
    "-evil.example",
    "evil-.example",
    "e\\vil.example",
    "e\u0000vil.example",
    "évil.example",
    "<evil>.example",
    "xmpp.1",
    "xmpp.0x1",
  ])("that leads to %j leads nowhere", async (target) => {
    answers([{ target, port: watched.trap.port }], {
      [target]: { A: ["127.0.0.1"] },
      "evil.example": { A: ["127.0.0.1"] },
    });
    const answer = await login();
    expect(Number(answer["status"])).toBe(503);
    // Without a usable record DNS may still be asked for the domain's own address.
    const allowed = [...services.map((name) => `SRV ${name}`), "A example.com", "AAAA example.com"];
    for (const query of watched.queries()) expect(allowed).toContain(query);
    expect(watched.connections()).toEqual([]);
  });

  test.each([0])("with port %d leads nowhere", async (port) => {
    answers([{ target: "xmpp.example.com", port }], { "xmpp.example.com": { A: ["127.0.0.1"] } });
    expect(Number((await login())["status"])).toBe(503);
    expect(watched.connections()).toEqual([]);
  });

  test("with 300 records is tried no more than 16 times, at what it names and nowhere else", async () => {
    const refused = await startScript([hang()]);
    await refused.stop();
    const records = Array.from({ length: 300 }, (_, index) => ({
      target: `h${index}.evil.example`,
      port: refused.port,
      priority: index % 7,
    }));
    answers(records, Object.fromEntries(records.map(({ target }) => [target, { A: ["127.0.0.1"] }])));
    const answer = await login();
    expect(Number(answer["status"])).toBe(503);
    expect(watched.connections().length).toBeLessThanOrEqual(16);
    for (const address of watched.connections()) expect(address).toBe(`127.0.0.1:${refused.port}`);
    expect(watched.queries().length).toBeLessThanOrEqual(2 + 2 * 16 + 2);
  });

  test("with 300 addresses behind one record is tried at no more than 8 of them", async () => {
    const refused = await startScript([hang()]);
    await refused.stop();
    const addresses = Array.from({ length: 300 }, (_, index) => `127.0.${1 + (index >> 8)}.${1 + (index & 127)}`);
    watched.dns.change({
      "_xmpp-client._tcp.example.com": { SRV: [{ target: "xmpp.example.com", port: refused.port }] },
      "xmpp.example.com": { A: addresses },
    });
    await login();
    expect(watched.connections().length).toBeLessThanOrEqual(8);
    for (const address of watched.connections())
      expect(addresses.map((each) => `${each}:${refused.port}`)).toContain(address);
  });

  test("that leads to a server of another name gets no SASL", async () => {
    const impostor = await startPeer({
      domain: "evil.example",
      accounts: { "alice@example.com": "secret" },
      authority: watched.authority,
    });
    answers([{ target: "xmpp.evil.example", port: impostor.port }], { "xmpp.evil.example": { A: ["127.0.0.1"] } });
    expect((await login())["status"]).toBe(502);
    expect(impostor.connections.length).toBeGreaterThan(0);
    expect(impostor.sawSasl).toBe(false);
    await impostor.stop();
  });

  test("that leads in a circle of aliases ends", async () => {
    answers([{ target: "one.evil.example", port: watched.trap.port }], {
      "one.evil.example": { CNAME: "two.evil.example" },
      "two.evil.example": { CNAME: "three.evil.example" },
    });
    expect(Number((await login())["status"])).toBe(503);
    expect(watched.connections()).toEqual([]);
  });
});
