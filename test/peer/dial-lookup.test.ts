/** The system's lookup on Bun's resolver: what it makes of a name server's answers, silence and lies, and of the hosts file. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../src/errors.ts";
import { systemLookup } from "../../src/xmpp/lookup.ts";
import { type Lookup, resolveEndpoints } from "../../src/xmpp/resolve.ts";
import { type DnsServer, type DnsZone, startDnsServer } from "../support/dns-server.ts";
import { eventually, within } from "../support/wait.ts";

const zone: DnsZone = {
  "v4.example": { A: ["192.0.2.1", "192.0.2.2"] },
  "v6.example": { AAAA: ["2001:db8::1"] },
  "alias.example": { CNAME: "v4.example" },
  "empty.example": {},
  "servfail.example": { SRV: "servfail", A: "servfail", AAAA: "servfail" },
  "refused.example": { SRV: "refused", A: "refused", AAAA: "refused" },
  "silent.example": { SRV: "silence", A: "silence", AAAA: "silence" },
  "srv.example": {
    SRV: [
      { priority: 10, weight: 5, port: 5222, target: "a.example" },
      { priority: 20, weight: 0, port: 443, target: "B.example" },
    ],
  },
  "dot.example": { SRV: [{ port: 0, target: "." }] },
  "_xmpp-client._tcp.example.com": { SRV: [{ port: 5222, target: "xmpp.other.example" }] },
  "_xmpp-client._tcp.off.example": { SRV: [{ port: 0, target: "." }] },
  "_xmpp-client._tcp.mute.example": { SRV: "silence" },
  "_xmpp-client._tcp.many.example": {
    SRV: Array.from({ length: 300 }, (_, index) => ({ port: 5222, priority: index, target: `t${index}.many.example` })),
  },
  "_xmpp-client._tcp.hostile.example": {
    SRV: ["192.0.2.1", "127.1", "loop", "localhost", "a b.example", "_xmpp-client._tcp.hostile.example"].map(
      (target) => ({ port: 5222, target }),
    ),
  },
};

const neverAborted = new AbortController().signal;
let nameServer: DnsServer;
let folder: string;
let lookup: Lookup;
let askedBefore = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "post-msg-hosts-"));
  const hostsFile = join(folder, "hosts");
  await writeFile(hostsFile, "192.0.2.77 pinned.example\n");
  nameServer = await startDnsServer(zone);
  lookup = systemLookup({ servers: [nameServer.address], hostsFile });
});

afterAll(async () => {
  await nameServer.stop();
  await rm(folder, { recursive: true });
});

beforeEach(() => {
  askedBefore = nameServer.queries.length;
});

/** What the test has asked so far, sorted. */
function asked(): string[] {
  return nameServer.queries
    .slice(askedBefore)
    .map(({ type, name }) => `${type} ${name}`)
    .toSorted();
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

describe("an answer of the name server", () => {
  test("holds addresses of either family", async () => {
    expect(await lookup.a("v4.example", neverAborted)).toEqual(["192.0.2.1", "192.0.2.2"]);
    expect(await lookup.aaaa("v6.example", neverAborted)).toEqual(["2001:db8::1"]);
    expect(asked()).toEqual(["A v4.example", "AAAA v6.example"]);
  });

  test("may lead over an alias", async () => {
    expect(await lookup.a("alias.example", neverAborted)).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  test("holds SRV records, with an empty target for the root", async () => {
    expect(await lookup.srv("srv.example", neverAborted)).toEqual([
      { priority: 10, weight: 5, port: 5222, target: "a.example" },
      { priority: 20, weight: 0, port: 443, target: "B.example" },
    ]);
    expect(await lookup.srv("dot.example", neverAborted)).toEqual([{ priority: 0, weight: 0, port: 0, target: "" }]);
  });

  test.each(["empty.example", "nxdomain.example", `${"a".repeat(64)}.example`, "a..example"])(
    "that says there is nothing is no error: %s",
    async (name) => {
      expect(await lookup.srv(name, neverAborted)).toEqual([]);
      expect(await lookup.a(name, neverAborted)).toEqual([]);
      expect(await lookup.aaaa(name, neverAborted)).toEqual([]);
    },
  );

  test.each([
    ["servfail.example", "ESERVFAIL"],
    ["refused.example", "EREFUSED"],
  ])("that says nothing either way is an error: %s", async (name, code) => {
    expect(await rejection(lookup.srv(name, neverAborted))).toMatchObject({ code });
    expect(await rejection(lookup.a(name, neverAborted))).toMatchObject({ code });
    expect(await rejection(lookup.aaaa(name, neverAborted))).toMatchObject({ code });
  });

  test("is not waited for after the signal aborts", async () => {
    const queries = { SRV: lookup.srv, A: lookup.a, AAAA: lookup.aaaa };
    for (const [type, ask] of Object.entries(queries)) {
      const controller = new AbortController();
      const waiting = rejection(ask("silent.example", controller.signal));
      await nameServer.asked("silent.example", type);
      controller.abort();
      expect(await within(500, "the query's end", waiting)).toMatchObject({ code: "ECANCELLED" });
    }
  });
});

describe("the hosts file", () => {
  test("goes before DNS, for both families", async () => {
    expect(await lookup.a("pinned.example", neverAborted)).toEqual(["192.0.2.77"]);
    expect(await lookup.aaaa("PINNED.example", neverAborted)).toEqual([]);
    expect(asked()).toEqual([]);
  });

  test("need not be there", async () => {
    const without = systemLookup({ servers: [nameServer.address], hostsFile: join(folder, "absent") });
    expect(await without.a("v4.example", neverAborted)).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  test.each(["localhost", "xmpp.LOCALHOST"])("need not name %s, of which DNS is never asked", async (name) => {
    expect(await lookup.a(name, neverAborted)).toEqual(["127.0.0.1"]);
    expect(await lookup.aaaa(name, neverAborted)).toEqual(["::1"]);
    expect(await lookup.srv(`_xmpp-client._tcp.${name}`, neverAborted)).toEqual([]);
    expect(asked()).toEqual([]);
  });
});

describe("resolving by a real name server", () => {
  const resolve = (domain: string, timeoutMs = 5_000) =>
    resolveEndpoints(domain, lookup, neverAborted, { random: () => 0, timeoutMs });

  test("asks for the two services of the domain and for nothing else", async () => {
    expect(await resolve("example.com")).toEqual([{ hostname: "xmpp.other.example", port: 5222, tls: "starttls" }]);
    expect(asked()).toEqual(["SRV _xmpp-client._tcp.example.com", "SRV _xmpps-client._tcp.example.com"]);
  });

  test("tells a service that is not offered", async () => {
    const failure = await rejection(resolve("off.example"));
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: "server_unreachable" });
  });

  test("ends by its own deadline, not the resolver's, when the name server is silent", async () => {
    const [endpoint] = await within(1_000, "the fallback", resolve("mute.example", 100));
    expect(endpoint).toMatchObject({ hostname: "mute.example", port: 5222 });
    expect(String(endpoint?.srvFailure)).toContain("within 100 ms");
  });

  test("follows no hostile answer to another query", async () => {
    const endpoints = await resolve("hostile.example");
    expect(endpoints.map(({ hostname }) => hostname)).toEqual(["_xmpp-client._tcp.hostile.example"]);
    expect(asked()).toEqual(["SRV _xmpp-client._tcp.hostile.example", "SRV _xmpps-client._tcp.hostile.example"]);
  });

  test("takes the best 16 of 300 records, which need TCP", async () => {
    const endpoints = await resolve("many.example");
    expect(endpoints.map(({ hostname }) => hostname)).toEqual(
      Array.from({ length: 16 }, (_, index) => `t${index}.many.example`),
    );
    expect(nameServer.queries.at(-1)?.over).toBe("tcp");
  });
});

test("600 queries, answered, refused and cancelled, leave no file open", async () => {
  const countFiles = async () => (await readdir("/proc/self/fd")).length;
  const before = await countFiles();
  for (let i = 0; i < 200; i++) {
    await lookup.a("v4.example", neverAborted);
    await rejection(lookup.srv("servfail.example", neverAborted));
    const controller = new AbortController();
    const cancelled = rejection(lookup.aaaa("silent.example", controller.signal));
    // In every other round before the query is on its way.
    if (i % 2 === 0) await eventually(() => nameServer.queries.at(-1)?.type === "AAAA", 2_000, "the query");
    controller.abort();
    await cancelled;
  }
  await eventually(async () => (await countFiles()) <= before, 5_000, "the queries' files to be closed");
}, 20_000);
