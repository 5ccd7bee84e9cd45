/** What the starters of real XMPP servers have in common: their options and what a test can do with a running one. */

import type { Authority } from "./ca.ts";

export interface RealServerOptions {
  /** Default: example.com. The first one is `RealServer.domain`. */
  readonly domains?: readonly string[];
  /** Bare JID -> password. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** Signs the domains' certificate. Default: one made on the spot. */
  readonly authority?: Authority;
  /** "plain": no TLS at all, and PLAIN is taken in the clear. Default: "tls". */
  readonly security?: "tls" | "plain";
  /** The name of a domain for rooms (XEP-0045), e.g. conference.example.com. Default: none. */
  readonly roomsDomain?: string;
  /** The rates and quotas of Debian's configuration files, with their measures against guessing. Default: false. */
  readonly debianLimits?: boolean;
  /** Stanzas for other domains are routed (after a DNS lookup) instead of being refused at once. Default: false. */
  readonly remoteDomains?: boolean;
}

export interface RealServer {
  readonly kind: "prosody" | "ejabberd";
  /** Of the process that runs now; 0: none does. */
  readonly pid: number;
  readonly domain: string;
  /** Always a loopback address. */
  readonly host: string;
  /** STARTTLS, or plain. The ports stay the same over restarts. */
  readonly c2sPort: number;
  /** Direct TLS (XEP-0368); nobody listens there with security "plain". */
  readonly directTlsPort: number;
  readonly authority: Authority;
  /** The authority's certificate as a file, for a `ca_file` setting. */
  readonly caFile: string;
  /** The server's data, gone after `stop`. */
  readonly folder: string;
  register(jid: string, password: string): Promise<void>;
  /** Done inside the running server, which then treats the account's streams as it does for its users. */
  changePassword(jid: string, password: string): Promise<void>;
  deleteAccount(jid: string): Promise<void>;
  /** SIGTERM, by which clients get `system-shutdown`; and `start`. */
  restart(): Promise<void>;
  /** SIGKILL: every connection ends without a word. `start` brings it back. */
  kill(): Promise<void>;
  /** SIGTERM without removing anything; `start` brings it back. */
  shutDown(): Promise<void>;
  /** Resolves when clients can connect. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
  /** What it has logged since it was last started. */
  log(): string;
}

/** [localpart, domain] of a bare JID. */
export function splitBareJid(jid: string): [string, string] {
  const at = jid.lastIndexOf("@");
  if (at < 1) throw new Error(`An account needs a bare JID with a localpart, and "${jid}" is none.`);
  return [jid.slice(0, at), jid.slice(at + 1)];
}
