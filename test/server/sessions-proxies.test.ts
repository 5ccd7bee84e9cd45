/**
 * Whose failures are counted: 30 ways to make up X-Forwarded-For and Forwarded, directly and behind real proxies. Who is
 * throttled at his first address must stay throttled whatever he claims to be, and must not be able to speak for others.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startFrontProxy } from "../support/front-proxy.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { postFrom } from "../support/http-from.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

setDefaultTimeout(30_000);

type Headers = Readonly<Record<string, string>>;

/** "me" stands for the attacker's own address, "victim" for the address of somebody else. */
const forgeries: readonly (readonly [name: string, headers: (me: string, victim: string) => Headers])[] = [
  ["another address", (_, victim) => ({ "X-Forwarded-For": victim })],
  ["two addresses", (_, victim) => ({ "X-Forwarded-For": `8.8.8.8, ${victim}` })],
  ["a trusted proxy as the last hop", (_, victim) => ({ "X-Forwarded-For": `${victim}, 127.0.0.1` })],
  ["two trusted proxies", (_, victim) => ({ "X-Forwarded-For": `${victim}, 127.0.0.1, 127.0.0.1` })],
  ["itself, then another", (me, victim) => ({ "X-Forwarded-For": `${me}, ${victim}` })],
  ["an empty list", () => ({ "X-Forwarded-For": "" })],
  ["an empty hop", (_, victim) => ({ "X-Forwarded-For": `${victim}, ` })],
  ["a comma", () => ({ "X-Forwarded-For": "," })],
  ["a word", () => ({ "X-Forwarded-For": "unknown" })],
  ["markup", () => ({ "X-Forwarded-For": "<script>" })],
  ["a port", (_, victim) => ({ "X-Forwarded-For": `${victim}:80` })],
  ["IPv6", () => ({ "X-Forwarded-For": "2001:db8::1" })],
  ["IPv6 in brackets with a port", () => ({ "X-Forwarded-For": "[2001:db8::1]:80" })],
  ["IPv4 in IPv6", (_, victim) => ({ "X-Forwarded-For": `::ffff:${victim}` })],
  ["loopback", () => ({ "X-Forwarded-For": "127.0.0.1" })],
  ["IPv6 loopback", () => ({ "X-Forwarded-For": "::1" })],
  ["a number for an address", () => ({ "X-Forwarded-For": "2130706433" })],
  ["octal numbers", () => ({ "X-Forwarded-For": "0177.0.0.1" })],
  ["a hundred hops", (_, victim) => ({ "X-Forwarded-For": Array.from({ length: 100 }, () => victim).join(", ") })],
  ["1,000 characters", () => ({ "X-Forwarded-For": "1".repeat(1000) })],
  ["other letter case", (_, victim) => ({ "x-forwarded-FOR": victim })],
  ["tabs", (_, victim) => ({ "X-Forwarded-For": `\t${victim}\t` })],
  ["Forwarded", (_, victim) => ({ Forwarded: `for=${victim}` })],
  ["Forwarded, two hops", (_, victim) => ({ Forwarded: `for=8.8.8.8, for=${victim}` })],
  ["Forwarded, a trusted hop last", (_, victim) => ({ Forwarded: `for=${victim}, for=127.0.0.1` })],
  ["Forwarded, quoted IPv6", () => ({ Forwarded: 'for="[2001:db8::1]:80"' })],
  ["Forwarded without for", () => ({ Forwarded: "proto=https;by=203.0.113.4" })],
  ["Forwarded, obfuscated", () => ({ Forwarded: "for=_hidden" })],
  ["both", (_, victim) => ({ "X-Forwarded-For": victim, Forwarded: `for=${victim}` })],
  ["other headers of this kind", (_, victim) => ({ "X-Real-IP": victim, "True-Client-IP": victim, Via: victim })],
];

const perMinute = 3;
const authority = { peer: undefined as Peer | undefined };

beforeAll(async () => {
  authority.peer = await startPeer({ record: false });
});
afterAll(() => authority.peer?.stop());

interface Way {
  readonly gateway: Gateway;
  /** Where clients connect to. */
  readonly port: number;
  stop(): Promise<void>;
}

async function open(kind: "directly" | "directly, with proxies elsewhere" | "HAProxy" | "nginx"): Promise<Way> {
  const proxied = kind === "HAProxy" || kind === "nginx";
  const trusted = { directly: [], "directly, with proxies elsewhere": ["10.0.0.0/8"] }[kind as string] ?? ["127.0.0.1"];
  if (authority.peer === undefined) throw new Error("There is no peer.");
  const gateway = await startGateway({
    hosts: hostOf(authority.peer),
    settings: {
      http: { trusted_proxies: trusted },
      throttle: {
        address_per_minute: perMinute,
        server_failures: 100_000,
        server_failures_burst: 100_000,
        account_per_hour: 100_000,
        failure_delay: "0s",
      },
    },
  });
  const proxy = proxied ? await startFrontProxy(kind, gateway.port) : undefined;
  const stop = async () => {
    await proxy?.stop();
    await gateway.stop();
  };
  return { gateway, port: proxy?.port ?? gateway.port, stop };
}

describe.each(["directly", "directly, with proxies elsewhere", "HAProxy", "nginx"] as const)("%s:", (kind) => {
  let way: Way;
  beforeAll(async () => {
    way = await open(kind);
  });
  afterAll(() => way?.stop());

  test.each(forgeries.map(([name, headers], index) => [name, headers, index] as const))(
    "claiming %s neither helps nor hurts anybody",
    async (_, forge, index) => {
      const [me, victim] = [`127.10.${index}.1`, `127.10.${index}.2`];
      const headers = forge(me, victim);
      let guesses = 0;
      const guess = (from: string, more: Headers) =>
        postFrom({
          port: way.port,
          user: `alice@example.com:${index} ${from} ${guesses++}`,
          body: "hi",
          from,
          headers: more,
        });
      // The failures of the forger are his own, in whatever name …
      for (let i = 0; i < perMinute; i++) expect((await guess(me, headers)).status).toBe(401);
      expect((await guess(me, headers)).status).toBe(429);
      expect((await guess(me, {})).status).toBe(429);
      // … and not those of the one whom he named.
      expect((await guess(victim, {})).status).toBe(401);
    },
  );
});
