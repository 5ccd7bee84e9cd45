/** The composition root: the parts in the order in which a request meets them. The only file that knows all of them. */

import { isDeepStrictEqual } from "node:util";
import type { Config, HostConfig } from "./config.ts";
import { mayReceive } from "./config.ts";
import { createDeliver } from "./deliver.ts";
import type { HttpOptions } from "./http/options.ts";
import { statuses } from "./http/problem.ts";
import { startHttp } from "./http/server.ts";
import type { Log } from "./log.ts";
import { startMetrics } from "./metrics/serve.ts";
import { logRequest } from "./request-log.ts";
import { createCache } from "./session/cache.ts";
import type { LoginReport } from "./tally.ts";
import { version } from "./version.ts";
import { createConnect } from "./xmpp/connect.ts";
import { systemLookup } from "./xmpp/lookup.ts";
import type { Lookup } from "./xmpp/resolve.ts";
import { messageStanza } from "./xmpp/stanza.ts";

export interface App {
  /** Where messages are posted to, such as "http://127.0.0.1:5280/msg". */
  readonly url: string;
  /**
   * Goes on with what this configuration says of the hosts and of HTTP, but for the address; the rest holds as it was at
   * the start. A host that is gone, or reached another way, loses its sessions; all others stay. Rejects with an Error
   * whose sentence says why not; then nothing has changed. One call at a time.
   */
  reload(config: Config): Promise<void>;
  /** Where metrics are read; undefined: nowhere. */
  readonly metricsUrl: string | undefined;
  /** Takes no more requests, finishes those in flight, closes the streams; done within 25 s. */
  stop(): Promise<void>;
}

const defaultDrainMs = 20_000;
/** How long those answers may take to be written. */
const answerMs = 1_000;

export interface AppOptions {
  /** How long a stop lets requests finish before it answers them itself; default 20,000. */
  readonly drainMs?: number;
  /** From names to addresses; default: the system's way. */
  readonly lookup?: Lookup;
  /** How long a server may take to show that it still lives; default 30,000. */
  readonly keepaliveAnswerMs?: number;
  /** How long a room may be silent before it is asked whether the sender is still in it; default 600,000. */
  readonly roomQuietMs?: number;
}

/** Rejects with an Error whose sentence says why the address cannot be listened on. */
export async function start(
  config: Config,
  log: Log,
  { drainMs = defaultDrainMs, lookup = systemLookup(), keepaliveAnswerMs, roomQuietMs }: AppOptions = {},
): Promise<App> {
  let { hosts } = config;
  const metrics = await startMetrics({ ...config.http, ...config.metrics }, { version, statuses });
  const { tally } = metrics;
  const { login, verify, serverOf } = createConnect({
    lookup,
    findHost: (domain) => hosts.get(domain),
    keepaliveMs: config.sessions.keepaliveMs,
    keepaliveAnswerMs,
    onLogin: (report) => {
      tally.loggedIn(report);
      logLogin(log, report);
    },
  });
  const sessions = createCache({
    ...config.sessions,
    login,
    verify,
    serverOf,
    session: { ...config.delivery, roomQuietMs },
    roomIdleMs: config.rooms.idleMs,
    throttle: config.throttle,
    domains: () => hosts.size,
    log,
    tally,
  });
  const deliver = createDeliver({
    openSession: (credentials, address) =>
      sessions.current(credentials, address) ?? sessions.open(credentials, address),
    toStanza: messageStanza,
    maxStanzaBytes: (domain) => hosts.get(domain)?.maxStanzaBytes ?? Number.POSITIVE_INFINITY,
  });
  const server = await startHttp(httpOptions(config)).catch(async (error) => {
    await metrics.stop();
    throw error;
  });
  metrics.observe(() => ({ ...sessions.census(), requests: server.inFlight }));
  if (metrics.url !== undefined) log.info({ url: metrics.url }, "metrics are served");

  return { url: server.url, metricsUrl: metrics.url, reload, stop };

  function httpOptions({ http, aliases, hosts: allowed }: Config): HttpOptions {
    const [onlyHost] = allowed.size === 1 ? allowed.keys() : [];
    return {
      ...http,
      isAllowedHost: (domain) => allowed.has(domain),
      allowedHosts: [...allowed.keys()],
      onlyHost,
      aliases,
      mayReceive: (sender, recipient) => {
        const host = allowed.get(sender.domain);
        return host !== undefined && mayReceive(host, recipient);
      },
      admit: sessions.admit,
      deliver,
      log: (line) => {
        tally.answered(line.status, line.failure?.code);
        logRequest(log, line);
      },
    };
  }

  async function reload(next: Config): Promise<void> {
    await server.reload(httpOptions(next));
    const left = [...hosts.values()].filter((host) => !isReachedAs(host, next.hosts.get(host.domain)));
    hosts = next.hosts;
    sessions.release(new Set(left.map(({ domain }) => domain)));
  }

  async function stop(): Promise<void> {
    const drained = server.stop();
    const givingUp = setTimeout(() => sessions.giveUp(), drainMs);
    // By then every message has its answer; what is left are requests that have not arrived whole.
    const cutting = setTimeout(() => void server.cut(), drainMs + answerMs);
    await drained;
    clearTimeout(givingUp);
    clearTimeout(cutting);
    await sessions.close();
    await metrics.stop();
  }
}

/** With what the gatekeeper's line on the same login does not know; reconnections are only here. */
function logLogin(log: Log, { kind, account, mechanism, failure, durationMs }: LoginReport): void {
  const { domain, bare: from } = account;
  const line = { kind, domain, from, mechanism, ms: Math.round(durationMs), code: failure?.code };
  log.debug(line, "login tried");
}

/** Whether what a login depends on is the same; false for a host that is gone. */
function isReachedAs(before: HostConfig, now: HostConfig | undefined): boolean {
  const wayTo = ({ connect, caCertificates, insecurePlaintext }: HostConfig) => ({
    connect,
    caCertificates,
    insecurePlaintext,
  });
  return now !== undefined && isDeepStrictEqual(wayTo(before), wayTo(now));
}
