/**
 * Nobody but the right server gets to see a byte of SASL: the table of bad links, by the source and by the executable,
 * with an environment that tells the runtime to skip certificates and without; and what a good link says of itself.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { statuses } from "../../src/http/problem.ts";
import { type LinkUnderTest, linkRows, startLinks } from "../support/bad-links.ts";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { type Gateway, startBinary, startGateway } from "../support/gateway.ts";
import { type Attempt, attemptLogin, lookupAt } from "../support/login-attempt.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { hang, startScript } from "../support/peer/script.ts";

const variable = "NODE_TLS_REJECT_UNAUTHORIZED";
/** What the runtime itself writes, no line of the log. */
const runtimeWarning = /NODE_TLS_REJECT_UNAUTHORIZED|--trace-warnings/;

let trusted: Authority;
let stranger: Authority;
let links: readonly LinkUnderTest[] = [];

beforeAll(async () => {
  trusted = await makeAuthority("Trusted");
  stranger = await makeAuthority("Stranger");
  links = await startLinks(trusted, stranger);
});

afterAll(async () => {
  await Promise.all(links.map(({ peer }) => peer.stop()));
});

const hostsOf = (all: readonly LinkUnderTest[]) => Object.fromEntries(all.map(({ domain, host }) => [domain, host]));
const environment = (value: string | undefined) => ({ ...process.env, [variable]: value });

describe.each([
  ["the source", () => startGateway({ hosts: hostsOf(links) }), undefined],
  ["the source, told to skip certificates", () => startGateway({ hosts: hostsOf(links) }), "0"],
  ["the executable", () => startBinary({ hosts: hostsOf(links), env: environment(undefined) }), undefined],
  [
    "the executable, told to skip certificates",
    () => startBinary({ hosts: hostsOf(links), env: environment("0"), expectedErrors: runtimeWarning }),
    "0",
  ],
] as const)("%s", (name, startIt, setting) => {
  let gateway: Gateway;
  const before = process.env[variable];

  beforeAll(async () => {
    if (name.startsWith("the source") && setting !== undefined) process.env[variable] = setting;
    gateway = await startIt();
  });
  afterAll(async () => {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
    await gateway.stop();
  });

  test.each(linkRows.map(([row, code], index) => [row, code, index] as const))("%s: %s", async (row, code, index) => {
    const link = links[index];
    if (link?.name !== row) throw new Error(`The table is not in order at ${row}.`);
    const response = await gateway.post("/msg/bob", "hello", { user: `alice@${link.domain}:secret` });
    const body = await response.json();
    if (code === "good") {
      expect(response.status).toBe(201);
      expect(link.peer.sawSasl).toBe(true);
      return;
    }
    expect(body).toMatchObject({ status: 502, code, outcome: "not_sent" });
    expect(response.status).toBe(502);
    expect(statuses[code]).toBe(502);
    expect(link.peer.connections.length).toBeGreaterThan(0);
    expect(link.peer.sawSasl).toBe(false);
    expect(link.peer.connections.map(({ text }) => text).join("")).not.toMatch(/secret|<auth/);
    await link.peer.settled(0);
  });
});

describe("trust", () => {
  const attempts: Attempt[] = [];
  const attempt = (...args: Parameters<typeof attemptLogin>) => {
    const made = attemptLogin(...args);
    attempts.push(made);
    return made;
  };
  const peers: Peer[] = [];
  const peer = async (...args: Parameters<typeof startPeer>) => {
    const started = await startPeer(...args);
    peers.push(started);
    return started;
  };
  afterAll(async () => {
    await Promise.all(attempts.map(({ end }) => end()));
    await Promise.all(peers.map(({ stop }) => stop()));
  });

  test.each(["starttls", "direct"] as const)(
    "in one host's authority is not trust in it for another host (%s)",
    async (security) => {
      const one = await peer({
        domain: "one.example",
        accounts: { "alice@one.example": "secret" },
        authority: trusted,
        security,
      });
      const two = await peer({
        domain: "two.example",
        accounts: { "alice@two.example": "secret" },
        certificate: await trusted.issue({ dnsNames: ["two.example"] }),
        authority: stranger,
        security,
      });
      expect(await attempt({ peer: one, ca: trusted, tls: security }).outcome).toBe("logged in");
      expect(await attempt({ peer: two, ca: stranger, tls: security }).outcome).toBe("certificate_untrusted");
      expect(await attempt({ peer: one, ca: undefined, tls: security }).outcome).toBe("certificate_untrusted");
      expect(two.sawSasl).toBe(false);
    },
  );

  test.each(["starttls", "direct"] as const)(
    "is in the domain, never in the name that an SRV record leads to (%s)",
    async (security) => {
      const good = await peer({ authority: trusted, security });
      const bad = await peer({
        security,
        authority: trusted,
        certificate: await trusted.issue({ dnsNames: ["xmpp.hoster.example"] }),
      });
      for (const [server, expected] of [
        [good, "logged in"],
        [bad, "certificate_name_mismatch"],
      ] as const) {
        const service = security === "direct" ? "_xmpps-client" : "_xmpp-client";
        const dns = await startDnsServer({
          [`${service}._tcp.example.com`]: { SRV: [{ target: "xmpp.hoster.example", port: server.port }] },
          "xmpp.hoster.example": { A: ["127.0.0.1"] },
        });
        const made = attempt({ peer: server, ca: trusted, lookup: lookupAt(dns) });
        expect(await made.outcome).toBe(expected);
        await dns.stop();
      }
      expect(bad.sawSasl).toBe(false);
    },
  );

  test("in an address that stands for the domain is trust in that address alone", async () => {
    const options = { domain: "127.0.0.1", accounts: { "alice@127.0.0.1": "secret" }, authority: trusted };
    const good = await peer({ ...options, certificate: await trusted.issue({ ipAddresses: ["127.0.0.1"] }) });
    const bad = await peer({
      ...options,
      certificate: await trusted.issue({ dnsNames: ["127.0.0.1"], ipAddresses: ["127.0.0.2"] }),
    });
    expect(await attempt({ peer: good, ca: trusted }).outcome).toBe("logged in");
    expect(await attempt({ peer: bad, ca: trusted }).outcome).toBe("certificate_name_mismatch");
    expect(bad.sawSasl).toBe(false);
  });

  test("does not follow from a certificate's common name", async () => {
    const nameless = await peer({
      authority: trusted,
      certificate: await trusted.issue({ commonName: "example.com" }),
    });
    expect(await attempt({ peer: nameless, ca: trusted }).outcome).toBe("certificate_name_mismatch");
    expect(nameless.sawSasl).toBe(false);
  });
});

test("a ClientHello names the XMPP domain in A-labels, and the protocol, and not the host that it goes to", async () => {
  const server = await startScript([hang()]);
  const made = attemptLogin({
    peer: { ...server, domain: "bücher.example" },
    ca: trusted,
    tls: "direct",
    host: "localhost",
  });
  const client = await server.client(1);
  const hello = await client.until(() => (client.text.length > 0 ? client.text : undefined), 5_000, "a ClientHello");
  await made.end();
  await server.stop();
  // RFC 6066 section 3 and RFC 7301 section 3.1: name and protocol have their lengths before them.
  const counted = (text: string) => `${String.fromCharCode(text.length)}${text}`;
  expect(hello).toContain(counted("xn--bcher-kva.example"));
  expect(hello).toContain(counted("xmpp-client"));
  expect(hello).not.toContain("localhost");
});
