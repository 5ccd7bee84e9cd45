/**
 * Whatever goes wrong with a link, and at whichever step, the request is answered within its deadline and a second, and
 * says truthfully whether the message may have been sent.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { badSteps, hostsOf, isAfterWrite, startBadSteps } from "../support/bad-steps.ts";
import { type BlackHolePort, openBlackHolePort } from "../support/black-hole-port.ts";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { lookupAt } from "../support/login-attempt.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

const deadlineMs = 300;
const graceMs = 1_000;
const settings = settingsWith(deadlineMs);
/** For a server that does answer, however busy this machine is. */
const patientMs = 10_000;

function settingsWith(timeoutMs: number) {
  return { sessions: { login_timeout: `${timeoutMs}ms` }, delivery: { ack_timeout: `${timeoutMs}ms` } };
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly tookMs: number;
}

async function ask(gateway: Gateway, domain: string): Promise<Answer> {
  const startedMs = performance.now();
  const response = await gateway.post("/msg/bob", "hello", { user: `alice@${domain}:secret` });
  const body: Record<string, unknown> = JSON.parse(await response.text());
  return { status: response.status, body, tookMs: performance.now() - startedMs };
}

describe("at every step", () => {
  let peers: readonly Peer[] = [];
  let impatient: Gateway;
  let patient: Gateway;

  beforeAll(async () => {
    const authority = await makeAuthority();
    peers = await startBadSteps(authority);
    const hosts = hostsOf(peers, authority);
    impatient = await startGateway({ hosts, settings });
    patient = await startGateway({ hosts, settings: settingsWith(patientMs) });
  });
  afterAll(async () => {
    await Promise.all([impatient.stop(), patient.stop()]);
    await Promise.all(peers.map((peer) => peer.stop()));
  });

  test.each(badSteps.map((row, index) => [row.name, row, index] as const))("%s", async (_name, row, index) => {
    const silent = row.how === "hang" || row.how === "stop-reading";
    const { status, body, tookMs } = await ask(silent ? impatient : patient, row.domain);
    expect(tookMs).toBeLessThan((silent ? deadlineMs : patientMs) + graceMs);
    if (isAfterWrite(row)) {
      expect({ status, code: body["code"], outcome: body["outcome"] }).toEqual({
        status: 504,
        code: silent ? "ack_timeout" : "connection_lost",
        outcome: "unknown",
      });
    } else {
      expect(body["outcome"]).toBe("not_sent");
      if (silent) {
        expect({ status, code: body["code"] }).toEqual({ status: 503, code: "login_timeout" });
        expect(tookMs).toBeGreaterThanOrEqual(deadlineMs - 5);
      } else if (row.how === "garbage") {
        expect(status).toBe(502);
        expect(body["code"]).toMatch(/^(protocol_error|tls_failed|tls_injection)$/);
      } else if (row.how === "end") {
        // Before the header, and where TLS is expected, the farewell is one more kind of garbage.
        expect(body["code"]).toMatch(/^(stream_closed|protocol_error|tls_failed|tls_injection)$/);
      } else {
        expect({ status, code: body["code"] }).toEqual({ status: 503, code: "stream_closed" });
      }
    }
    expect(peers[index]?.connections.length).toBeGreaterThan(0);
    // Who does not read does not see the end; and after a loss, the connection that came back is kept.
    if (row.how !== "stop-reading" && (silent || !isAfterWrite(row))) await peers[index]?.settled(0);
  });
});

describe("before a connection", () => {
  let dns: DnsServer;
  let hole: BlackHolePort;
  let peer: Peer;
  let authority: Authority;
  let gateway: Gateway;

  beforeAll(async () => {
    hole = await openBlackHolePort();
    authority = await makeAuthority();
    peer = await startPeer({ authority });
    const service = (name: string) => [`_xmpp-client._tcp.${name}`, `_xmpps-client._tcp.${name}`] as const;
    const [muteService, directMuteService] = service("mute-service.example");
    const [lateService] = service("late-service.example");
    const [holeService] = service("hole.example");
    dns = await startDnsServer({
      [muteService]: { SRV: "silence" },
      [directMuteService]: { SRV: "silence" },
      "mute-address.example": { A: "silence", AAAA: "silence" },
      [lateService]: { SRV: [{ target: "xmpp.late-service.example", port: peer.port }], delayMs: 5_000 },
      [holeService]: { SRV: [{ target: "xmpp.hole.example", port: hole.port }] },
      "xmpp.hole.example": { A: ["127.0.0.1"] },
    });
    const domains = ["mute-service.example", "mute-address.example", "late-service.example", "hole.example"];
    gateway = await startGateway({
      hosts: {
        ...Object.fromEntries(domains.map((domain) => [domain, { ca: authority }])),
        "hole-address.example": { connect: `xmpp://${hole.host}:${hole.port}`, ca: authority },
        "hole-direct.example": { connect: `xmpps://${hole.host}:${hole.port}`, ca: authority },
      },
      settings,
      lookup: lookupAt(dns),
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([dns.stop(), hole.stop(), peer.stop()]);
  });

  test.each([
    ["a name server that is silent about the service", "mute-service.example"],
    ["a name server that is silent about the address", "mute-address.example"],
    ["a name server that is late", "late-service.example"],
    ["a port that drops packets, found by DNS", "hole.example"],
    ["a port that drops packets, from the settings", "hole-address.example"],
    ["a port for direct TLS that drops packets", "hole-direct.example"],
  ])("%s", async (_name, domain) => {
    const { status, body, tookMs } = await ask(gateway, domain);
    expect({ status, code: body["code"], outcome: body["outcome"] }).toEqual({
      status: 503,
      code: "login_timeout",
      outcome: "not_sent",
    });
    expect(tookMs).toBeLessThan(deadlineMs + graceMs);
  });
});
