/**
 * From an XMPP domain to the servers that may be tried for it, and the order: RFC 6120 section 3.2 with XEP-0368.
 *
 * Whoever controls DNS can send us anywhere; that does no more harm than an outage, because the certificate is checked
 * against the domain and never against a name found here. There is no host-meta (XEP-0156) on purpose.
 */

import { toASCII } from "tr46";
import { Failure } from "../errors.ts";
import { withTimeLimit } from "./deadline.ts";
import { parseIpLiteral } from "./ip-literal.ts";
import { isHostname, orderRecords, type ServiceRecord, type SrvRecord } from "./srv.ts";

export interface Endpoint {
  /** A name, or an IP address without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly tls: "starttls" | "direct";
  /** Why it is a guess: the SRV records, which might name another place, could not be had. */
  readonly srvFailure?: unknown;
}

/**
 * Each resolves to nothing if the name or the record does not exist (NXDOMAIN, NODATA), and rejects if that could not be
 * found out. Each settles soon after the signal aborts; the caller sets the deadline. Names are ASCII and absolute.
 */
export interface Lookup {
  srv(name: string, signal: AbortSignal): Promise<readonly SrvRecord[]>;
  /** IPv4 addresses. */
  a(name: string, signal: AbortSignal): Promise<readonly string[]>;
  /** IPv6 addresses. */
  aaaa(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

export interface ResolveOptions {
  /** As Math.random, the default. */
  readonly random?: () => number;
  /** For each DNS query; default 5 s. */
  readonly timeoutMs?: number;
}

export const dnsTimeoutMs = 5_000;

const defaultPort = 5222;

/**
 * The endpoints in the order in which they are to be tried; at least one, at most 16. Asks DNS for two SRV records.
 * Rejects with `server_unreachable` if DNS says that there is no XMPP service, with `name_not_found` if the domain
 * cannot be a DNS name, with `name_lookup_failed` if nobody can tell.
 * @param domain normalised, as in a JID (U-labels, or an IP address)
 */
export async function resolveEndpoints(
  domain: string,
  lookup: Lookup,
  signal: AbortSignal,
  { random = Math.random, timeoutMs = dnsTimeoutMs }: ResolveOptions = {},
): Promise<readonly Endpoint[]> {
  const address = parseIpLiteral(domain);
  if (address !== undefined) return [{ hostname: address, port: defaultPort, tls: "starttls" }];
  const name = toDnsName(domain);
  const [direct, starttls] = await Promise.all([
    askService(`_xmpps-client._tcp.${name}`, "direct", lookup, signal, timeoutMs),
    askService(`_xmpp-client._tcp.${name}`, "starttls", lookup, signal, timeoutMs),
  ]);
  const records = orderRecords([...direct.records, ...starttls.records], random);
  if (records.length > 0) return records.map(({ target: hostname, port, tls }) => ({ hostname, port, tls }));

  const failure = starttls.failure ?? direct.failure;
  if ([...direct.records, ...starttls.records].some(({ target }) => target !== "")) {
    throw new Failure(
      "server_unreachable",
      `The XMPP server of "${domain}" could not be found: none of its SRV records holds a usable host name and port.`,
    );
  }
  if (starttls.records.length > 0) {
    // Whether direct TLS is offered instead is then the question.
    throw failure === undefined ? notOffered(domain) : lookupFailed(domain, failure);
  }
  // RFC 6120 section 3.2.2: without an answer about SRV records, too, the domain itself is tried.
  return [
    {
      hostname: name,
      port: defaultPort,
      tls: "starttls",
      ...(failure === undefined ? {} : { srvFailure: failure }),
    },
  ];
}

function toDnsName(domain: string): string {
  const name = toASCII(domain, { checkBidi: true, checkJoiners: true, verifyDNSLength: true });
  if (name !== null && isHostname(name)) return name;
  throw new Failure(
    "name_not_found",
    `The XMPP server of "${domain}" could not be found: the domain cannot be written as a DNS name.`,
  );
}

interface ServiceAnswer {
  readonly records: readonly ServiceRecord[];
  readonly failure?: unknown;
}

/** Rejects only when the signal aborts: one service must not fail for the other. */
async function askService(
  name: string,
  tls: ServiceRecord["tls"],
  lookup: Lookup,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<ServiceAnswer> {
  const late = () => new Error(`No answer about the SRV records of ${name} within ${timeoutMs} ms.`);
  try {
    const records = await withTimeLimit(timeoutMs, signal, late, (limit) => lookup.srv(name, limit));
    return { records: records.map((record) => ({ ...record, tls })) };
  } catch (failure) {
    signal.throwIfAborted();
    return { records: [], failure };
  }
}

function notOffered(domain: string): Failure {
  return new Failure(
    "server_unreachable",
    `"${domain}" could not be reached: its DNS says that it offers no XMPP service for clients (SRV target ".").`,
  );
}

function lookupFailed(domain: string, cause: unknown): Failure {
  return new Failure(
    "name_lookup_failed",
    `The XMPP server of "${domain}" could not be found: DNS gave no answer about its SRV records.`,
    { cause },
  );
}
