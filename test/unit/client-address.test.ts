import { describe, expect, test } from "bun:test";
import { createClientAddress } from "../../src/http/client-address.ts";

const proxies = [
  { address: "127.0.0.1", prefixBits: 32, family: "ipv4" },
  { address: "10.0.0.0", prefixBits: 8, family: "ipv4" },
  { address: "2001:db8::", prefixBits: 32, family: "ipv6" },
] as const;

type Row = readonly [name: string, peer: string | undefined, headers: Record<string, string>, client: string];

const behindProxies: readonly Row[] = [
  ["no header: the proxy itself", "127.0.0.1", {}, "127.0.0.1"],
  ["one hop", "127.0.0.1", { "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  ["a forged hop left of the true one", "127.0.0.1", { "x-forwarded-for": "8.8.8.8, 192.0.2.7" }, "192.0.2.7"],
  ["two trusted proxies", "127.0.0.1", { "x-forwarded-for": "8.8.8.8, 192.0.2.7, 10.1.2.3" }, "192.0.2.7"],
  ["a forged trusted address further left", "127.0.0.1", { "x-forwarded-for": "10.9.9.9, 192.0.2.7" }, "192.0.2.7"],
  ["all trusted", "127.0.0.1", { "x-forwarded-for": "10.1.1.1, 10.2.2.2" }, "10.1.1.1"],
  ["with a port", "127.0.0.1", { "x-forwarded-for": "192.0.2.7:4711" }, "192.0.2.7"],
  ["IPv6, its /64", "127.0.0.1", { "x-forwarded-for": "2001:4860:1:2:3:4:5:6" }, "2001:4860:1:2::/64"],
  ["IPv6 in brackets with a port", "127.0.0.1", { "x-forwarded-for": "[2001:4860::1]:80" }, "2001:4860:0:0::/64"],
  ["IPv4 in IPv6", "127.0.0.1", { "x-forwarded-for": "::ffff:192.0.2.7" }, "192.0.2.7"],
  ["what is no address", "127.0.0.1", { "x-forwarded-for": "unknown" }, "unknown"],
  ["an empty hop, which is not skipped", "127.0.0.1", { "x-forwarded-for": "8.8.8.8, " }, ""],
  ["Forwarded", "127.0.0.1", { forwarded: 'for=192.0.2.7;proto=https;by="10.0.0.1"' }, "192.0.2.7"],
  ["Forwarded, quoted IPv6", "127.0.0.1", { forwarded: 'For="[2001:4860:1:2::9]:4711"' }, "2001:4860:1:2::/64"],
  ["Forwarded, forged further left", "127.0.0.1", { forwarded: "for=8.8.8.8, for=192.0.2.7" }, "192.0.2.7"],
  ["Forwarded without for, which is not skipped", "127.0.0.1", { forwarded: "for=8.8.8.8, proto=http" }, "unknown"],
  [
    "X-Forwarded-For before Forwarded",
    "127.0.0.1",
    { "x-forwarded-for": "192.0.2.7", forwarded: "for=8.8.8.8" },
    "192.0.2.7",
  ],
  ["an IPv6 proxy", "2001:db8::5", { "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  ["an IPv4 proxy on a dual socket", "::ffff:127.0.0.1", { "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  ["a Unix socket", undefined, { "x-forwarded-for": "8.8.8.8, 192.0.2.7" }, "192.0.2.7"],
  ["a peer that is no proxy", "198.51.100.9", { "x-forwarded-for": "8.8.8.8" }, "198.51.100.9"],
  ["a peer that is no proxy, with Forwarded", "198.51.100.9", { forwarded: "for=8.8.8.8" }, "198.51.100.9"],
  ["a peer whose address only begins like a proxy's", "100.0.0.1", { "x-forwarded-for": "8.8.8.8" }, "100.0.0.1"],
];

const alone: readonly Row[] = [
  ["the peer", "192.0.2.7", {}, "192.0.2.7"],
  [
    "the peer, whatever it claims",
    "192.0.2.7",
    { "x-forwarded-for": "8.8.8.8", forwarded: "for=9.9.9.9" },
    "192.0.2.7",
  ],
  ["loopback, whatever it claims", "127.0.0.1", { "x-forwarded-for": "8.8.8.8" }, "127.0.0.1"],
  ["an IPv6 peer's /64", "2001:4860:a:b:c:d:e:f", {}, "2001:4860:a:b::/64"],
  ["the same /64 in another spelling", "2001:4860:000a:000b::1", {}, "2001:4860:a:b::/64"],
  ["a link-local peer with its zone", "fe80::1%eth0", {}, "fe80:0:0:0::/64"],
  ["a Unix socket", undefined, { "x-forwarded-for": "8.8.8.8" }, "local"],
];

describe("behind trusted proxies, the client is", () => {
  const clientOf = createClientAddress(proxies);
  test.each(behindProxies)("%s", (_, peer, headers, client) => {
    expect(clientOf(peer, new Headers(headers))).toBe(client);
  });
});

describe("without trusted proxies, the client is", () => {
  const clientOf = createClientAddress([]);
  test.each(alone)("%s", (_, peer, headers, client) => {
    expect(clientOf(peer, new Headers(headers))).toBe(client);
  });
});

test("what a proxy names and is no address groups callers, and is not passed on", () => {
  const clientOf = createClientAddress(proxies);
  const of = (hop: string) => clientOf("127.0.0.1", new Headers({ "x-forwarded-for": hop }));
  expect(of("_secret words")).toMatch(/^other:[\w+/]{12}$/);
  expect(of("_secret words")).toBe(of("_secret words"));
  expect(of("_secret words")).not.toBe(of("_other words"));
});
