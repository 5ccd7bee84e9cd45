/** The doctor in front of servers with one fault each: it names the right step, the right code, and what to do about it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { textReport } from "../../src/doctor/text-report.ts";
import type { Code } from "../../src/errors.ts";
import type { Step } from "../../src/findings.ts";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { type DnsServer, type DnsZone, startDnsServer } from "../support/dns-server.ts";
import { type DoctorRun, runDoctor } from "../support/doctor.ts";
import { findFreePort } from "../support/free-port.ts";
import { hostOf } from "../support/gateway-config.ts";
import { lookupAt } from "../support/login-attempt.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { hang, startScript } from "../support/peer/script.ts";

const dayMs = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs);
const domain = "example.com";

let trusted: Authority;
let stranger: Authority;
let dns: DnsServer;
beforeAll(async () => {
  [trusted, stranger, dns] = await Promise.all([makeAuthority("Trusted"), makeAuthority("Stranger"), startDnsServer()]);
});
afterAll(() => dns.stop());

const remedies = new Set<string | undefined>();

interface Expected {
  readonly step: Step;
  readonly code: Code;
  /** What to change, and where. */
  readonly remedy: RegExp;
  /** In the summary or in what was said. */
  readonly shows?: RegExp;
}

async function expectFailure(run: Omit<DoctorRun, "domain">, { step, code, remedy, shows }: Expected) {
  const examined = await runDoctor({ domain, ...run });
  const last = examined.steps.at(-1);
  expect(last).toMatchObject({ step, state: "failed", code });
  expect(examined.state).toBe("failed");
  expect(last?.remedy).toMatch(remedy);
  if (shows !== undefined) expect(`${last?.summary} ${last?.said}`).toMatch(shows);
  // Two faults must never get one and the same advice.
  expect(remedies.has(last?.remedy)).toBe(false);
  remedies.add(last?.remedy);
  return examined;
}

describe("a server that cannot be found or reached:", () => {
  /** Nobody listens on port 5222 of this address. */
  const nobody = "127.9.8.7";
  const closed = async (): Promise<number> => findFreePort();
  test.each<[string, (port: number) => DnsZone, Expected]>([
    [
      "a name that does not exist",
      () => ({}),
      {
        step: "connection",
        code: "name_not_found",
        remedy: /spelled.*_xmpp-client\._tcp\.example\.com\. IN SRV.*connect = "xmpp:/,
      },
    ],
    [
      "name servers that do not work",
      () => ({
        "example.com": { A: "servfail", AAAA: "servfail" },
        "_xmpp-client._tcp.example.com": { SRV: "servfail" },
      }),
      { step: "connection", code: "name_lookup_failed", remedy: /\/etc\/resolv\.conf/ },
    ],
    [
      "no SRV record, and a closed port",
      () => ({ "example.com": { A: [nobody] } }),
      {
        step: "connection",
        code: "server_unreachable",
        remedy:
          /has no SRV record, and nothing listens at example\.com port 5222.*under \[hosts\."example\.com"\] in post-msg\.toml.*start/,
        shows: /ECONNREFUSED/,
      },
    ],
    [
      "an SRV record, and a closed port",
      (port) => ({
        "_xmpp-client._tcp.example.com": { SRV: [{ target: "xmpp.example.com", port }] },
        "xmpp.example.com": { A: [nobody] },
      }),
      {
        step: "connection",
        code: "server_unreachable",
        remedy: /By its SRV records, nothing listens at xmpp\.example\.com port/,
      },
    ],
    [
      "a domain whose DNS says that there is no XMPP",
      () => ({ "_xmpp-client._tcp.example.com": { SRV: [{ target: ".", port: 0 }] } }),
      { step: "name", code: "server_unreachable", remedy: /mend its SRV records/ },
    ],
  ])("%s", async (_, zone, expected) => {
    dns.change(zone(await closed()));
    await expectFailure({ host: {}, lookup: lookupAt(dns) }, expected);
  });

  test("a connect to a closed port", async () => {
    const port = await closed();
    await expectFailure(
      { host: { connect: `xmpp://127.0.0.1:${port}` } },
      {
        step: "connection",
        code: "server_unreachable",
        remedy: /By \[hosts\."example\.com"\] connect in post-msg\.toml/,
      },
    );
  });
});

describe("a server with a fault:", () => {
  const wrongAnswer = (text: string) => () => text;
  test.each<[string, () => Promise<PeerOptions> | PeerOptions, Expected]>([
    [
      "an expired certificate",
      async () => ({
        certificate: await trusted.issue({ dnsNames: [domain], notBefore: inDays(-40), notAfter: inDays(-2) }),
      }),
      {
        step: "certificate",
        code: "certificate_expired",
        remedy: /Renew.*cert import/,
        shows: /for example\.com; valid until \d{4}-\d\d-\d\d, over; .*issuer CN=Trusted/,
      },
    ],
    [
      "a certificate of the future",
      async () => ({ certificate: await trusted.issue({ dnsNames: [domain], notBefore: inDays(2) }) }),
      { step: "certificate", code: "certificate_not_yet_valid", remedy: /clocks/, shows: /valid from \d{4}/ },
    ],
    [
      "a certificate for another name",
      async () => ({ certificate: await trusted.issue({ dnsNames: ["xmpp.example.com", "evil.example"] }) }),
      {
        step: "certificate",
        code: "certificate_name_mismatch",
        remedy: /names "example\.com", the part .* behind the @/,
        shows: /for xmpp\.example\.com, evil\.example;/,
      },
    ],
    [
      "a certificate of an unknown authority",
      async () => ({ certificate: await stranger.issue({ dnsNames: [domain] }) }),
      {
        step: "certificate",
        code: "certificate_untrusted",
        remedy: /\[hosts\."example\.com"\] ca_file in post-msg\.toml.*fullchain/,
        shows: /issuer CN=Stranger/,
      },
    ],
    [
      "a self-signed certificate",
      async () => ({ certificate: await trusted.selfSigned({ dnsNames: [domain] }) }),
      { step: "certificate", code: "certificate_self_signed", remedy: /name it in \[hosts\."example\.com"\] ca_file/ },
    ],
    [
      "no STARTTLS",
      () => ({ security: "plain" }),
      { step: "tls", code: "tls_not_offered", remedy: /switch STARTTLS on/ },
    ],
    [
      "old TLS",
      () => ({ minVersion: "TLSv1", maxVersion: "TLSv1.1" }),
      { step: "tls", code: "tls_failed", remedy: /TLS 1\.2 or later/ },
    ],
    [
      "no common mechanism",
      () => ({ mechanisms: ["EXTERNAL", "DIGEST-MD5"] }),
      { step: "mechanisms", code: "no_common_mechanism", remedy: /SCRAM/, shows: /"EXTERNAL", "DIGEST-MD5"/ },
    ],
    [
      "an address that is banned",
      () => ({
        answers: {
          features: wrongAnswer(
            "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Too many (20) failed authentications</text></stream:error>",
          ),
        },
      }),
      {
        step: "stream",
        code: "server_policy",
        remedy: /address \(here it is 127\.0\.0\.1.*ban.*unban_ip 127\.0\.0\.1/,
        shows: /Too many \(20\) failed/,
      },
    ],
    [
      "another domain",
      () => ({ domain: "other.example", accounts: { "alice@other.example": "secret" } }),
      { step: "stream", code: "host_unknown", remedy: /serves other domains/ },
    ],
    [
      "a wish to send its clients elsewhere",
      () => ({
        answers: {
          features: wrongAnswer(
            "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>evil.example</see-other-host></stream:error>",
          ),
        },
      }),
      { step: "stream", code: "redirect", remedy: /Set \[hosts\."example\.com"\] connect/, shows: /evil\.example/ },
    ],
    [
      "a hang-up",
      () => ({ fault: { at: "features", how: "close" } }),
      { step: "stream", code: "stream_closed", remedy: /hung up.*direct TLS.*xmpps/ },
    ],
  ])("%s", async (_, options, expected) => {
    const peer = await startPeer({ domain, authority: trusted, ...(await options()) });
    try {
      await expectFailure({ host: connectTo(peer) }, expected);
      expect(peer.sawSasl).toBe(false);
      await peer.settled(0);
    } finally {
      await peer.stop();
    }
  });

  test("a wrong password, and with none given the login is not tried", async () => {
    const peer = await startPeer({ domain, authority: trusted });
    try {
      const examined = await expectFailure(
        { host: connectTo(peer), as: "alice@example.com", password: "wrong" },
        {
          step: "login",
          code: "credentials_rejected",
          remedy: /prosodyctl passwd alice@example\.com.*change_password alice example\.com/,
        },
      );
      expect(JSON.stringify(examined)).not.toContain("wrong");
      const without = await runDoctor({ domain, host: connectTo(peer) });
      expect(without.state).toBe("good");
      expect(without.steps.map(({ step }) => step)).toEqual([
        ...(["name", "connection", "stream", "tls", "certificate", "mechanisms", "limits"] as const),
      ]);
      await peer.settled(0);
    } finally {
      await peer.stop();
    }
  });

  test("a message that is refused", async () => {
    const peer = await startPeer({
      domain,
      authority: trusted,
      bounce: () => ({ when: "before-ack", condition: "policy-violation", type: "modify" }),
    });
    try {
      await expectFailure(
        { host: connectTo(peer), as: "alice@example.com" },
        { step: "message", code: "policy_violation", remedy: /log of the XMPP server/ },
      );
      await peer.settled(0);
    } finally {
      await peer.stop();
    }
  });

  test("a port for direct TLS in the place of one for STARTTLS, and the other way round", async () => {
    const direct = await startPeer({ domain, authority: trusted, security: "direct" });
    const starttls = await startPeer({ domain, authority: trusted });
    try {
      const one = await runDoctor({ domain, host: connectTo(direct) });
      expect(one.steps.at(-1)).toMatchObject({
        step: "stream",
        state: "failed",
        remedy: expect.stringContaining("xmpps://"),
      });
      const other = await runDoctor({ domain, host: hostOf(starttls, {}, "xmpps")[domain] ?? {} });
      expect(other.steps.at(-1)).toMatchObject({
        step: "tls",
        state: "failed",
        remedy: expect.stringContaining("xmpp://"),
      });
    } finally {
      await Promise.all([direct.stop(), starttls.stop()]);
    }
  });
});

test("what is no XMPP server, and silent, is told within its time", async () => {
  const script = await startScript([hang()]);
  try {
    const examined = await runDoctor({
      domain,
      host: { connect: `xmpp://127.0.0.1:${script.port}` },
      settings: { sessions: { login_timeout: "500ms" } },
    });
    expect(examined.steps.at(-1)).toMatchObject({
      step: "stream",
      code: "login_timeout",
      remedy: expect.stringMatching(/silent/),
    });
  } finally {
    await script.stop();
  }
});

describe("a server that can be used, with something to mend:", () => {
  test.each<[string, PeerOptions, Step, RegExp, RegExp]>([
    ["PLAIN alone", { mechanisms: ["PLAIN"] }, "mechanisms", /PLAIN would be used/, /can offer SCRAM/],
  ])("%s", async (_, options, step, summary, remedy) => {
    const peer = await startPeer({ domain, authority: trusted, ...options });
    try {
      const examined = await runDoctor({ domain, host: connectTo(peer) });
      expect(examined.state).toBe("warning");
      const { state, ...report } = examined.step(step);
      expect(state).toBe("warning");
      expect(report.summary).toMatch(summary);
      expect(report.remedy).toMatch(remedy);
    } finally {
      await peer.stop();
    }
  });

  test("a certificate that is soon over", async () => {
    const certificate = await trusted.issue({ dnsNames: [domain], notAfter: inDays(13.5) });
    const peer = await startPeer({ domain, authority: trusted, certificate });
    try {
      const soon = (await runDoctor({ domain, host: connectTo(peer) })).step("certificate");
      expect(soon).toMatchObject({ state: "warning", summary: expect.stringContaining("13 days left") });
      const before = await runDoctor({ domain, host: connectTo(peer), now: () => inDays(-1) });
      expect(before.step("certificate")).toMatchObject({
        state: "good",
        summary: expect.stringContaining("14 days left"),
      });
    } finally {
      await peer.stop();
    }
  });

  test("the first of its SRV records, where nobody answers", async () => {
    const peer = await startPeer({ domain, authority: trusted });
    dns.change({
      "_xmpp-client._tcp.example.com": {
        SRV: [
          { target: "one.example.com", port: await findFreePort(), priority: 1 },
          { target: "two.example.com", port: peer.port, priority: 2 },
        ],
      },
      "one.example.com": { A: ["127.0.0.1"] },
      "two.example.com": { A: ["127.0.0.1"] },
    });
    try {
      const examined = await runDoctor({ domain, host: { ca: trusted }, lookup: lookupAt(dns) });
      expect(examined.step("name").summary).toContain(
        `_xmpp-client._tcp.example.com is two.example.com port ${peer.port}`,
      );
      const asked = examined.step("name").queries?.map(({ type, name }) => `${type} ${name}`);
      expect(asked?.sort()).toEqual(["SRV _xmpp-client._tcp.example.com", "SRV _xmpps-client._tcp.example.com"]);
      expect(examined.step("connection")).toMatchObject({
        state: "warning",
        summary: expect.stringMatching(
          /^127\.0\.0\.1 port \d+ accepts connections \(STARTTLS\); before it, one\.example\.com port \d+ did not$/,
        ),
      });
    } finally {
      await peer.stop();
    }
  });
});

test("what a server says cannot steer the terminal", async () => {
  const evil = "\x1b]0;owned\x07\x1b[2J";
  const certificate = await stranger.issue({ dnsNames: [domain], commonName: evil });
  const peer = await startPeer({ domain, authority: trusted, certificate });
  const written: string[] = [];
  try {
    const examined = await runDoctor({ domain, host: connectTo(peer) });
    const report = textReport({ write: (text) => written.push(text), colour: false, columns: 80 });
    report.begin(domain);
    for (const step of examined.steps) report.step(step);
    report.end(examined);
  } finally {
    await peer.stop();
  }
  expect(written.join("")).toContain("owned");
  expect(written.join("").replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
});

/** The authority that the configuration trusts is never the peer's own choice. */
function connectTo(peer: Peer) {
  return { connect: `xmpp://${peer.host}:${peer.port}`, ca: trusted };
}
