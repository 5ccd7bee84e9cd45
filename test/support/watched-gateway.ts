/**
 * A gateway for example.com whose every step outwards is seen: queries, because they go to a name server of the test's
 * own; TCP connections and fetches, because the process's own functions for them are watched. Around it stands a trap
 * to which all the rest of DNS leads.
 */

import { expect, spyOn } from "bun:test";
import { Socket } from "node:net";
import { type Authority, makeAuthority } from "./ca.ts";
import { type DnsServer, type DnsZone, startDnsServer } from "./dns-server.ts";
import { startGateway } from "./gateway.ts";
import { lookupAt } from "./login-attempt.ts";
import { type Peer, startPeer } from "./peer/peer.ts";
import { hang, type ScriptServer, startScript } from "./peer/script.ts";

export const services = ["_xmpp-client._tcp.example.com", "_xmpps-client._tcp.example.com"] as const;
/** All that a login at example.com needs of DNS as `zone` has it. */
export const usualQueries: readonly string[] = [
  ...services.map((name) => `SRV ${name}`),
  "A xmpp.example.com",
  "AAAA xmpp.example.com",
];

export interface WatchedGateway {
  readonly authority: Authority;
  /** The server of example.com. */
  readonly peer: Peer;
  /** Whoever is connected to here was led astray. */
  readonly trap: ScriptServer;
  readonly dns: DnsServer;
  /** Where `peer` is found, and where every other name leads to the trap. */
  readonly zone: DnsZone;
  /** Posts a message with the password "secret"; resolves to the answer's body, with its status. */
  post(user: string, headers?: Record<string, string>): Promise<Record<string, unknown>>;
  /** What DNS was asked since `begin`, such as "A xmpp.example.com". */
  queries(): readonly string[];
  /** Where the process has connected to since `begin`, as `address:port`. */
  connections(): readonly string[];
  begin(): void;
  /** Throws if anybody was in the trap, or anything but the gateway itself was fetched. */
  check(): void;
  stop(): Promise<void>;
}

export async function startWatchedGateway(): Promise<WatchedGateway> {
  const authority = await makeAuthority();
  const peer = await startPeer({ authority });
  const trap = await startScript([hang()]);
  const dns = await startDnsServer();
  const gateway = await startGateway({
    hosts: { "example.com": { ca: authority } },
    settings: { sessions: { login_timeout: "2s" }, delivery: { ack_timeout: "500ms" } },
    lookup: lookupAt(dns),
  });
  const { origin } = new URL(gateway.url);
  const connects = spyOn(Socket.prototype, "connect");
  // Beside the test's own requests nothing is to be fetched: host-meta would be.
  const fetches = spyOn(globalThis, "fetch");
  let asked = 0;
  return {
    authority,
    peer,
    trap,
    dns,
    zone: zoneAround(peer.port, trap.port),
    post: async (user, headers = {}) => {
      const response = await gateway.post("/msg/bob@evil.example", "hello", { user: `${user}:secret`, headers });
      return { status: response.status, ...JSON.parse(await response.text()) };
    },
    queries: () => dns.queries.slice(asked).map(({ name, type }) => `${type} ${name}`),
    connections: () => connects.mock.calls.flatMap(([first]) => describeConnect([first].flat()[0])),
    begin: () => {
      asked = dns.queries.length;
      connects.mockClear();
      fetches.mockClear();
    },
    check: () => {
      expect(trap.clients).toHaveLength(0);
      for (const [input] of fetches.mock.calls) {
        expect(input instanceof Request ? input.url : `${input}`).toStartWith(origin);
      }
    },
    stop: async () => {
      fetches.mockRestore();
      connects.mockRestore();
      await gateway.stop();
      await Promise.all([peer.stop(), trap.stop(), dns.stop()]);
    },
  };
}

/** TLS over a socket that is there already is no connection. */
function describeConnect(options: unknown): readonly string[] {
  if (typeof options !== "object" || options === null) throw new Error(`An unforeseen connect(${options}).`);
  const { host, port, socket } = { host: undefined, port: undefined, socket: undefined, ...options };
  return socket === undefined ? [`${host}:${port}`] : [];
}

const trapNames = [
  "evil.example",
  "xmpp.evil.example",
  "example.com.evil",
  "evil",
  "com",
  "x",
  "example.org",
  "exarnple.com",
  "examp1e.com",
  "xn--exmple-cua.com",
  "sub.example.com",
  "notexample.com",
];

function zoneAround(peerPort: number, trapPort: number): DnsZone {
  const zone: Record<string, DnsZone[string]> = {
    "_xmpp-client._tcp.example.com": { SRV: [{ target: "xmpp.example.com", port: peerPort }] },
    "xmpp.example.com": { A: ["127.0.0.1"] },
  };
  for (const name of trapNames) {
    zone[name] = { A: ["127.0.0.1"] };
    for (const service of ["_xmpp-client", "_xmpps-client"]) {
      zone[`${service}._tcp.${name}`] = { SRV: [{ target: "xmpp.evil.example", port: trapPort }] };
    }
  }
  return zone;
}
