/** One login by src/xmpp itself, without HTTP in front of it. */

import { Failure } from "../../src/errors.ts";
import type { Link } from "../../src/link.ts";
import { createConnect } from "../../src/xmpp/connect.ts";
import { atOnce } from "../../src/xmpp/log-in.ts";
import { systemLookup } from "../../src/xmpp/lookup.ts";
import type { Lookup } from "../../src/xmpp/resolve.ts";
import type { Authority } from "./ca.ts";
import { jid } from "./jid.ts";

export interface AttemptOptions {
  readonly peer: { readonly domain: string; readonly port: number; readonly host: string };
  /** Undefined: the system's authorities alone are trusted. */
  readonly ca: Authority | undefined;
  /** Default: "starttls". */
  readonly tls?: "starttls" | "direct";
  /** Where to connect; default: the peer's own address. */
  readonly host?: string;
  /** Then the settings name no address, and this finds one. */
  readonly lookup?: Lookup;
  /** Default: alice. */
  readonly local?: string;
  /** Default: secret. */
  readonly password?: string;
  /** Default: 5,000. */
  readonly timeoutMs?: number;
}

export interface Attempt {
  /** "logged in", or the code of the failure. */
  readonly outcome: Promise<string>;
  /** Closes the link, or gives the login up. */
  end(): Promise<void>;
}

/** Knows localhost, and asks a name server that is not there for the rest. */
const noLookup = lookupAt({ address: "127.0.0.1:9" });

/** Begins at once. */
export function attemptLogin(options: AttemptOptions): Attempt {
  const { peer, ca, tls = "starttls", host = peer.host, lookup, local = "alice", password = "secret" } = options;
  const account = jid(`${local}@${peer.domain}`);
  const { login } = createConnect({
    keepaliveMs: 60_000,
    lookup: lookup ?? noLookup,
    findHost: (domain) =>
      domain === account.domain
        ? {
            domain,
            connect: lookup === undefined ? { hostname: host, port: peer.port, tls } : undefined,
            caCertificates: ca === undefined ? [] : [ca.certificatePem],
            insecurePlaintext: false,
            grace: 0,
          }
        : undefined,
  });
  const giveUp = new AbortController();
  const timer = setTimeout(
    () => giveUp.abort(new Failure("login_timeout", "The test's login took too long.")),
    options.timeoutMs ?? 5_000,
  );
  let link: Link | undefined;
  const outcome = login(
    { account, password },
    {
      acknowledged() {},
      echoed() {},
      bounced() {},
      received() {},
      saidInRoom() {},
      present() {},
      drained() {},
      lost() {},
    },
    { signal: giveUp.signal, admit: atOnce },
  )
    .then((opened) => {
      link = opened;
      return "logged in";
    })
    .catch((error: unknown) => (error instanceof Failure ? error.code : Promise.reject(error)))
    .finally(() => clearTimeout(timer));
  // Whoever awaits it hears of it; nobody has to.
  outcome.catch(() => {});
  return {
    outcome,
    end: async () => {
      giveUp.abort(new Failure("login_timeout", "The test's login was given up."));
      await outcome;
      await link?.close();
    },
  };
}

/** DNS as that server tells it, and no hosts file. */
export function lookupAt(dns: { readonly address: string }): Lookup {
  return systemLookup({ servers: [dns.address], hostsFile: "/nonexistent/hosts" });
}
