/** The composition root: the parts in the order in which a request meets them. The only file that knows all of them. */

import type { Config } from "./config.ts";
import { mayReceive } from "./config.ts";
import { createDeliver } from "./deliver.ts";
import { startHttp } from "./http/server.ts";
import type { Log } from "./log.ts";
import { logRequest } from "./request-log.ts";
import { createCache } from "./session/cache.ts";
import { createConnect } from "./xmpp/connect.ts";
import { systemLookup } from "./xmpp/lookup.ts";
import type { Lookup } from "./xmpp/resolve.ts";
import { messageStanza } from "./xmpp/stanza.ts";

export interface App {
  /** Where messages are posted to, such as "http://127.0.0.1:5280/msg". */
  readonly url: string;
  /** Takes no more requests, finishes those in flight, closes the streams; done within 25 s. */
  stop(): Promise<void>;
}

/** Both servers that are known to us refuse anything larger by default. */
const maxStanzaBytes = 256 * 1024;
/** Bounds on what one account may have on its way. */
const maxPending = 10_000;
const maxPendingBytes = 8 * 1024 * 1024;
const defaultDrainMs = 20_000;
/** How long those answers may take to be written. */
const answerMs = 1_000;

export interface AppOptions {
  /** How long a stop lets requests finish before it answers them itself; default 20,000. */
  readonly drainMs?: number;
  /** From names to addresses; default: the system's way. */
  readonly lookup?: Lookup;
}

/** Rejects with an Error whose sentence says why the address cannot be listened on. */
export async function start(
  config: Config,
  log: Log,
  { drainMs = defaultDrainMs, lookup = systemLookup() }: AppOptions = {},
): Promise<App> {
  const { hosts, http } = config;
  const { login, verify } = createConnect({
    lookup,
    findHost: (domain) => hosts.get(domain),
  });
  const sessions = createCache({
    login,
    verify,
    session: { ackTimeoutMs: config.delivery.ackTimeoutMs, maxPending, maxPendingBytes },
    loginTimeoutMs: config.sessions.loginTimeoutMs,
    idleMs: config.sessions.idleMs,
    maxSessions: config.sessions.max,
    log,
  });
  const deliver = createDeliver({ openSession: sessions.open, toStanza: messageStanza, maxStanzaBytes });
  const [onlyHost] = hosts.size === 1 ? hosts.keys() : [];
  const server = await startHttp({
    ...http,
    isAllowedHost: (domain) => hosts.has(domain),
    allowedHosts: [...hosts.keys()],
    onlyHost,
    mayReceive: (sender, recipient) => {
      const host = hosts.get(sender.domain);
      return host !== undefined && mayReceive(host, recipient);
    },
    deliver,
    log: (line) => logRequest(log, line),
  });

  return { url: server.url, stop };

  async function stop(): Promise<void> {
    const drained = server.stop();
    const givingUp = setTimeout(() => sessions.giveUp(), drainMs);
    // By then every message has its answer; what is left are requests that have not arrived whole.
    const cutting = setTimeout(() => void server.cut(), drainMs + answerMs);
    await drained;
    clearTimeout(givingUp);
    clearTimeout(cutting);
    await sessions.close();
  }
}
