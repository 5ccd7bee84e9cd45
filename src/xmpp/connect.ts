/**
 * From credentials to a link: an encrypted stream (secure.ts), SASL, a resource, stream management; and the same again,
 * without the caller's password, for a link that was lost. Each step has its own limit.
 */

import type { Element } from "@xmpp/xml";
import { asFailure, Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Admit, Link, LinkEvents, Login, LoginTerms, Reconnection, Verify } from "../link.ts";
import type { LoginKind, LoginReport } from "../tally.ts";
import { bindResource } from "./bind.ts";
import { step } from "./deadline.ts";
import { readStanzaLimit } from "./limits.ts";
import { openLink } from "./live.ts";
import { type Authenticated, atOnce, logIn } from "./log-in.ts";
import type { Lookup } from "./resolve.ts";
import type { Secret } from "./sasl/exchange.ts";
import { abandon, openSecured, stepTimeoutMs, type XmppHost } from "./secure.ts";
import type { XmppStream } from "./stream.ts";
import { enableStreamManagement, resumeSession, type ServerSession } from "./stream-management.ts";

export type { XmppHost } from "./secure.ts";

export interface ConnectOptions {
  readonly lookup: Lookup;
  /** Undefined for a domain that is not allowed: nothing is resolved or connected for it. */
  findHost(domain: string): XmppHost | undefined;
  /** A link on which nothing was heard for so many milliseconds is asked whether it still lives. */
  readonly keepaliveMs: number;
  /** How long the answer may take; default 30,000. */
  readonly keepaliveAnswerMs?: number | undefined;
  /** Called at the end of each login, good or bad, but for those that were not admitted. Must not throw. */
  onLogin?(report: LoginReport): void;
}

interface Account {
  readonly jid: Jid;
  readonly host: XmppHost;
  readonly secret: Secret;
  readonly events: LinkEvents;
}

/** DNS, or another configuration, may move a domain; who waits because of its old server learns of it so soon. */
const serverStaysMs = 60_000;

/** What becomes known of a login as it gets on. */
interface Attempt {
  /** It is connected, and waits to be admitted. */
  waits?: boolean;
  mechanism?: string;
}

export interface Connect {
  readonly login: Login;
  readonly verify: Verify;
  /** Address and port of the server that a domain was connected to within the last minute. */
  serverOf(domain: string): string | undefined;
}

/** Both connect afresh every time and leave nothing open when they fail. */
export function createConnect(options: ConnectOptions): Connect {
  const { lookup, findHost, keepaliveMs, keepaliveAnswerMs, onLogin } = options;
  const servers = new Map<string, { readonly server: string; readonly seenMs: number }>();
  return {
    login: ({ account, password }, events, terms) =>
      reported("login", account, async (attempt) => {
        const host = allowed(account.domain);
        const { stream, features, secret } = await openAuthenticated(account, host, { password }, attempt, terms);
        try {
          return await begin(stream, features, { jid: account, host, secret, events }, terms.signal);
        } catch (error) {
          throw abandon(stream, error);
        }
      }),
    verify: ({ account, password }, terms) =>
      reported("proof", account, async (attempt) => {
        const host = allowed(account.domain);
        const { stream } = await openAuthenticated(account, host, { password }, attempt, terms);
        stream.push(stream.footer());
        stream.end(new Failure("stream_closed", "The password has been verified."));
      }),
    serverOf: (domain) => {
      const last = servers.get(domain);
      return last !== undefined && performance.now() - last.seenMs < serverStaysMs ? last.server : undefined;
    },
  };

  async function reported<T>(kind: LoginKind, account: Jid, run: (attempt: Attempt) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    const attempt: Attempt = {};
    let failure: Failure | undefined;
    try {
      return await run(attempt);
    } catch (error) {
      failure = asFailure(error);
      throw error;
    } finally {
      const { mechanism, waits = false } = attempt;
      if (!waits) onLogin?.({ kind, account, mechanism, failure, durationMs: performance.now() - startedMs });
    }
  }

  function allowed(domain: string): XmppHost {
    const host = findHost(domain);
    if (host !== undefined) return host;
    throw new Failure("host_not_allowed", `"${domain}" is not one of the hosts that this gateway connects to.`);
  }

  async function openAuthenticated(
    account: Jid,
    host: XmppHost,
    secret: Secret,
    attempt: Attempt,
    { signal, admit }: LoginTerms,
  ): Promise<Authenticated> {
    const secured = await openSecured(host, lookup, signal);
    servers.set(account.domain, { server: secured.server, seenMs: performance.now() });
    const admitted: Admit = (server, authenticate, over) => {
      attempt.waits = true;
      const goOn = () => {
        attempt.waits = false;
        return authenticate();
      };
      return admit(server, goOn, over);
    };
    const onMechanism = (mechanism: string) => {
      attempt.mechanism = mechanism;
    };
    return logIn(secured, { account, host, secret, admit: admitted, onMechanism }, signal);
  }

  /** A new session on the server. */
  async function begin(stream: XmppStream, features: Element, account: Account, signal: AbortSignal): Promise<Link> {
    const { domain } = account.jid;
    const jid = await step("binding a resource", domain, stepTimeoutMs, signal, (limit) =>
      bindResource(stream, account.jid, limit),
    );
    const session = await step("enabling stream management", domain, stepTimeoutMs, signal, (limit) =>
      enableStreamManagement(stream, features, limit),
    );
    return goLive(stream, features, jid, account, session);
  }

  function reconnect(jid: Jid, account: Account, previous: ServerSession | undefined, signal: AbortSignal) {
    return reported("reconnect", account.jid, (attempt) => takeUp(jid, account, previous, attempt, signal));
  }

  async function takeUp(
    jid: Jid,
    account: Account,
    previous: ServerSession | undefined,
    state: Attempt,
    signal: AbortSignal,
  ): Promise<Reconnection> {
    const { host, secret } = account;
    const terms = { signal, admit: atOnce };
    const { stream, features, secret: next } = await openAuthenticated(account.jid, host, secret, state, terms);
    try {
      const again = { ...account, secret: next };
      const attempt = await step("resuming the session", host.domain, stepTimeoutMs, signal, async (limit) =>
        previous === undefined ? undefined : resumeSession(stream, features, previous, limit),
      );
      const handled = attempt?.handled;
      if (attempt?.session !== undefined) {
        return { link: goLive(stream, features, jid, again, attempt.session), resumed: true, handled };
      }
      return { link: await begin(stream, features, again, signal), resumed: false, handled };
    } catch (error) {
      throw abandon(stream, error);
    }
  }

  function goLive(
    stream: XmppStream,
    features: Element,
    jid: Jid,
    account: Account,
    session: ServerSession | undefined,
  ): Link {
    const { events, host } = account;
    return openLink({
      stream,
      jid,
      events,
      session,
      grace: host.grace,
      maxStanzaBytes: readStanzaLimit(features),
      keepaliveMs,
      keepaliveAnswerMs,
      reconnect: (signal): Promise<Reconnection> => reconnect(jid, account, session, signal),
    });
  }
}
