import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Resolver } from "node:dns/promises";
import { type DnsServer, startDnsServer } from "./dns-server.ts";

describe("the DNS server, asked by node:dns/promises", () => {
  let server: DnsServer;
  let resolver: Resolver;
  beforeEach(async () => {
    server = await startDnsServer({
      "_xmpp-client._tcp.example.com": {
        SRV: [
          { target: "one.example.net", port: 5222, priority: 1, weight: 2 },
          { target: "two.example.net", port: 443 },
        ],
      },
      "one.example.net": { A: ["127.0.0.1", "127.0.0.2"], AAAA: ["::1"] },
      "alias.example.net": { CNAME: "one.example.net" },
      "empty.example.net": {},
      "broken.example.net": { A: "servfail", SRV: "refused" },
      "mute.example.net": { A: "silence" },
      "late.example.net": { A: ["127.0.0.3"], delayMs: 50 },
      "many.example.net": { A: Array.from({ length: 100 }, (_value, index) => `10.0.0.${index}`) },
    });
    // Bun rounds it up to whole seconds.
    resolver = new Resolver({ timeout: 100, tries: 1 });
    resolver.setServers([server.address]);
  });
  afterEach(() => server.stop());

  test("gives SRV records with priority and weight", async () => {
    const records = await resolver.resolveSrv("_xmpp-client._tcp.example.com");
    expect(records).toContainEqual({ name: "one.example.net", port: 5222, priority: 1, weight: 2 });
    expect(records).toContainEqual({ name: "two.example.net", port: 443, priority: 0, weight: 0 });
    expect(records).toHaveLength(2);
  });

  test("gives addresses of both families, through an alias too", async () => {
    expect(await resolver.resolve4("one.example.net")).toEqual(["127.0.0.1", "127.0.0.2"]);
    expect(await resolver.resolve6("one.example.net")).toEqual(["::1"]);
    expect(await resolver.resolve4("alias.example.net")).toEqual(["127.0.0.1", "127.0.0.2"]);
  });

  test("answers late where asked to", async () => {
    const startedAt = performance.now();
    expect(await resolver.resolve4("late.example.net")).toEqual(["127.0.0.3"]);
    expect(performance.now() - startedAt).toBeGreaterThan(45);
  });

  test("sends over TCP what is too long for UDP", async () => {
    expect(await resolver.resolve4("many.example.net")).toHaveLength(100);
    expect(server.queries.map(({ over }) => over)).toContain("tcp");
  });

  test.each([
    ["nobody.example.net", "ENOTFOUND"],
    // Node says ENODATA here; Bun does not tell a name without such records from no name at all.
    ["empty.example.net", "ENOTFOUND"],
    ["broken.example.net", "ESERVFAIL"],
    ["mute.example.net", "ETIMEOUT"],
  ])("answers for %s so that the resolver says %s", async (name, code) => {
    expect(await resolver.resolve4(name).catch((error) => error.code)).toBe(code);
  });

  test("remembers every question, and forgets an old table at once", async () => {
    await resolver.resolve4("one.example.net");
    server.change({ "one.example.net": { A: ["127.0.0.9"] } });
    expect(await resolver.resolve4("one.example.net")).toEqual(["127.0.0.9"]);
    expect(server.queries).toEqual(Array(2).fill({ name: "one.example.net", type: "A", over: "udp" }));
    expect(await server.asked("one.example.net", "A")).toEqual({ name: "one.example.net", type: "A", over: "udp" });
  });
});
