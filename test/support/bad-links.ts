/**
 * Servers that nobody may tell a password, each for a domain of its own, and which code a login there has to end with.
 * One good server of each kind stands among them, so that the table cannot pass because nothing works.
 */

import type { Code } from "../../src/errors.ts";
import type { Authority } from "./ca.ts";
import type { ConfigTables } from "./gateway-config.ts";
import type { PeerOptions } from "./peer/options.ts";
import { type Peer, startPeer } from "./peer/peer.ts";
import { eventually } from "./wait.ts";

export type Begin = "starttls" | "direct";

interface LinkCase {
  readonly name: string;
  readonly begin: readonly Begin[];
  readonly code: Code | "good";
  /** In the place of 127.0.0.1, which it has to lead to. */
  readonly connectHost?: string;
  options(domain: string, trusted: Authority, stranger: Authority): PeerOptions | Promise<PeerOptions>;
}

export interface LinkUnderTest {
  readonly name: string;
  readonly code: Code | "good";
  readonly domain: string;
  readonly peer: Peer;
  readonly host: ConfigTables["hosts"][string];
}

const dayMs = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs);
/** RFC 8446 section 5.1: the content type that a ClientHello comes in. */
const tlsHandshakeRecord = 22;
const both = ["starttls", "direct"] as const;
const unencryptedOffer =
  "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";

const cases: readonly LinkCase[] = [
  { name: "a server that does everything right", begin: both, code: "good", options: () => ({}) },
  {
    name: "TLS 1.2 at the most",
    begin: both,
    code: "good",
    options: () => ({ maxVersion: "TLSv1.2" }),
  },
  {
    name: "no STARTTLS, but SASL",
    begin: ["starttls"],
    code: "tls_not_offered",
    options: () => ({ security: "plain" }),
  },
  {
    name: "STARTTLS stripped from the features",
    begin: ["starttls"],
    code: "tls_not_offered",
    options: () => ({ answers: { features: () => unencryptedOffer } }),
  },
  {
    name: "STARTTLS stripped by a name that is almost the right one",
    begin: ["starttls"],
    code: "tls_not_offered",
    options: () => ({ answers: { features: (proper) => proper.replaceAll("xmpp-tls", "xmpp-tlx") } }),
  },
  {
    name: "STARTTLS refused",
    begin: ["starttls"],
    code: "tls_failed",
    options: () => ({ answers: { proceed: () => "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" } }),
  },
  {
    name: "a self-signed certificate",
    begin: both,
    code: "certificate_self_signed",
    options: async (domain, trusted) => ({ certificate: await trusted.selfSigned({ dnsNames: [domain] }) }),
  },
  {
    name: "an expired certificate",
    begin: both,
    code: "certificate_expired",
    options: async (domain, trusted) => ({
      certificate: await trusted.issue({ dnsNames: [domain], notBefore: inDays(-3), notAfter: inDays(-1) }),
    }),
  },
  {
    name: "a certificate of the future",
    begin: both,
    code: "certificate_not_yet_valid",
    options: async (domain, trusted) => ({
      certificate: await trusted.issue({ dnsNames: [domain], notBefore: inDays(1) }),
    }),
  },
  {
    name: "a certificate for another name",
    begin: both,
    code: "certificate_name_mismatch",
    options: async (_domain, trusted) => ({ certificate: await trusted.issue({ dnsNames: ["evil.example"] }) }),
  },
  {
    name: "a certificate for a name that the domain is only a part of",
    begin: both,
    code: "certificate_name_mismatch",
    options: async (domain, trusted) => ({
      certificate: await trusted.issue({ dnsNames: [`${domain}.evil.example`, `not-${domain}`, `*.${domain}`] }),
    }),
  },
  {
    name: "a certificate for the name that was connected to",
    begin: both,
    code: "certificate_name_mismatch",
    connectHost: "localhost",
    options: async (_domain, trusted) => ({ certificate: await trusted.issue({ dnsNames: ["localhost"] }) }),
  },
  {
    name: "a certificate for the IP address that was connected to",
    begin: both,
    code: "certificate_name_mismatch",
    options: async (_domain, trusted) => ({ certificate: await trusted.issue({ ipAddresses: ["127.0.0.1"] }) }),
  },
  {
    name: "a certificate for that address, with the domain as a mere common name",
    begin: both,
    code: "certificate_name_mismatch",
    options: async (domain, trusted) => ({
      certificate: await trusted.issue({ ipAddresses: ["127.0.0.1"], commonName: domain }),
    }),
  },
  {
    name: "a certificate of an unknown authority",
    begin: both,
    code: "certificate_untrusted",
    options: async (domain, _trusted, stranger) => ({ certificate: await stranger.issue({ dnsNames: [domain] }) }),
  },
  {
    name: "plaintext behind <proceed/>, in the same packet",
    begin: ["starttls"],
    code: "tls_injection",
    options: () => ({ answers: { proceed: (proper) => proper + unencryptedOffer } }),
  },
  ...[" ", "\n", "text>", "<stream:features>", "<!", "&"].map(
    (tail): LinkCase => ({
      name: `${JSON.stringify(tail)} behind <proceed/>`,
      begin: ["starttls"],
      code: "tls_injection",
      options: () => ({ answers: { proceed: (proper) => proper + tail } }),
    }),
  ),
  {
    name: "the first byte of a character behind <proceed/>",
    begin: ["starttls"],
    code: "tls_injection",
    options: () => ({
      answers: {
        proceed: (proper, connection) => {
          connection.send(Buffer.concat([Buffer.from(proper), Uint8Array.of(0xc3)]));
          return "";
        },
      },
    }),
  },
  {
    name: "plaintext in a later packet, in the place of the TLS handshake",
    begin: ["starttls"],
    code: "tls_injection",
    options: () => ({
      answers: {
        proceed: async (proper, connection) => {
          connection.send(proper);
          await eventually(() => connection.received.some(({ bytes }) => bytes[0] === tlsHandshakeRecord));
          return unencryptedOffer;
        },
      },
    }),
  },
  {
    name: "TLS 1.1 at the most",
    begin: both,
    code: "tls_failed",
    options: () => ({ minVersion: "TLSv1", maxVersion: "TLSv1.1" }),
  },
  {
    name: "TLS 1.0 at the most",
    begin: both,
    code: "tls_failed",
    options: () => ({ minVersion: "TLSv1", maxVersion: "TLSv1" }),
  },
];

/** The names of the table's rows, for a test each; `startLinks` starts what belongs to them, in this order. */
export const linkRows: readonly (readonly [name: string, code: Code | "good"])[] = cases.flatMap((each) =>
  each.begin.map((begin) => [`${each.name} (${begin})`, each.code] as const),
);

/** All servers of the table. `trusted` is the authority that every host is configured with. */
export async function startLinks(trusted: Authority, stranger: Authority): Promise<readonly LinkUnderTest[]> {
  const all = cases.flatMap((each) => each.begin.map((begin) => ({ ...each, begin })));
  return Promise.all(
    all.map(async ({ name, code, begin, connectHost = "127.0.0.1", options }, index) => {
      const domain = `host-${index}.example`;
      const peer = await startPeer({
        domain,
        authority: trusted,
        security: begin,
        accounts: { [`alice@${domain}`]: "secret" },
        ...(await options(domain, trusted, stranger)),
      });
      const connect = `${begin === "direct" ? "xmpps" : "xmpp"}://${connectHost}:${peer.port}`;
      return { name: `${name} (${begin})`, code, domain, peer, host: { connect, ca: trusted } };
    }),
  );
}
