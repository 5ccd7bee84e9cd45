/**
 * The configuration: what the program knows of its settings (`Config`), and how a file becomes one (`loadConfig`). The
 * settings themselves stand in config/settings.ts.
 */

import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { isSamePlace, type ListenAddress } from "./config/addresses.ts";
import { readAliases } from "./config/aliases.ts";
import { whyUnreadable } from "./config/certificates.ts";
import { type HostConfig, mayReceive, readHosts } from "./config/hosts.ts";
import type { Network } from "./config/networks.ts";
import { type ConfigProblem, keyLabel, showReceived } from "./config/problem.ts";
import { type Report, readFixed, readValues, sortEntries, toProblem } from "./config/read.ts";
import { sections } from "./config/settings.ts";
import { readTls, type Tls, warnOfPlainHttp } from "./config/tls.ts";
import { readToml, type TomlFault } from "./config/toml.ts";
import type { Jid } from "./jid.ts";

export { type HostConfig, mayReceive } from "./config/hosts.ts";

export interface Config {
  readonly http: {
    readonly listen: ListenAddress;
    /** Undefined: plain HTTP. */
    readonly tls: Tls | undefined;
    /** Of a Unix socket. */
    readonly socketMode: number;
    /** A new process may take the address over. */
    readonly reusePort: boolean;
    readonly path: string;
    /** mod_rest's paths are served, too. */
    readonly rest: boolean;
    readonly maxBodyBytes: number;
    /** Requests at one time. */
    readonly maxInFlight: number;
    /** What XML 1.0 cannot carry; "replace" puts U+FFFD in its place. */
    readonly forbiddenCharacters: "refuse" | "replace";
    readonly waitMaxMs: number;
    readonly maxRecipients: number;
    readonly trustedProxies: readonly Network[];
    /** As browsers write them. */
    readonly allowedOrigins: readonly string[];
  };
  readonly sessions: {
    readonly idleMs: number;
    readonly max: number;
    readonly loginTimeoutMs: number;
    readonly loginConcurrency: number;
    readonly verifyMs: number;
    readonly keepaliveMs: number;
  };
  readonly rooms: { readonly idleMs: number };
  readonly throttle: {
    readonly rememberFailureMs: number;
    readonly failureDelayMs: number;
    readonly addressPerMinute: number;
    readonly addressPerDay: number;
    readonly accountPerHour: number;
    readonly serverFailures: number;
    readonly serverFailuresBurst: number;
  };
  readonly delivery: { readonly ackTimeoutMs: number; readonly maxPending: number; readonly maxPendingBytes: number };
  readonly log: {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly format: "auto" | "json" | "pretty";
    readonly jids: boolean;
  };
  /** Undefined: no metrics. */
  readonly metrics: { readonly listen: ListenAddress | undefined };
  /** What stands for whom: "oncall" in `/msg/@oncall`. */
  readonly aliases: ReadonlyMap<string, readonly Jid[]>;
  /** The domains that may log in, by `Jid.domain`. */
  readonly hosts: ReadonlyMap<string, HostConfig>;
}

export type LoadedConfig =
  | {
      readonly config: Config;
      readonly warnings: readonly ConfigProblem[];
      /** What takes effect at a start only, by its label: `[http] listen`. */
      readonly fixed: ReadonlyMap<string, unknown>;
    }
  | { readonly problems: readonly ConfigProblem[] };

/** Reads and checks a file; all that is wrong with it is reported at once, in the order of its lines. Never rejects. */
export async function loadConfig(path: string): Promise<LoadedConfig> {
  const text = await readText(path);
  if ("rule" in text) {
    return { problems: [{ file: path, line: undefined, key: undefined, rule: text.rule, received: undefined }] };
  }
  const { entries, faults } = readToml(text.value);
  const problems = faults.map((fault) => describeFault(path, fault));
  const warnings: ConfigProblem[] = [];
  const report: Report = {
    problem: (entry, rule) => problems.push(toProblem(path, entry, rule)),
    warning: (entry, rule) => warnings.push(toProblem(path, entry, rule)),
  };

  const sorted = sortEntries(entries, report);
  const valuesOf = <K extends keyof typeof sections>(name: K) =>
    readValues<(typeof sections)[K]>(sections[name], (key) => sorted.sections.get(`${name}.${key}`));
  const [http, sessions, delivery, rooms, throttle, metrics, log] = [
    valuesOf("http"),
    valuesOf("sessions"),
    valuesOf("delivery"),
    valuesOf("rooms"),
    valuesOf("throttle"),
    valuesOf("metrics"),
    valuesOf("log"),
  ];
  const folder = dirname(path);
  const hosts = await readHosts(sorted.hosts, { folder, faults }, report);
  const [cert, key] = [sorted.sections.get("http.tls_cert"), sorted.sections.get("http.tls_key")];
  const tls = await readTls({ folder, cert, key }, report);
  const isProxied = http.trusted_proxies.length > 0;
  warnOfPlainHttp(http.listen, tls !== undefined || isProxied, sorted.sections.get("http.listen"), report);
  const metricsListen = sorted.sections.get("metrics.listen");
  if (metricsListen !== undefined && metrics.listen !== undefined && isSamePlace(metrics.listen, http.listen)) {
    report.problem(metricsListen, "must not be where [http] listen is");
  }
  const hostsTried =
    entries.some(({ path: [section, host], value }) => section === "hosts" && (host ?? value) !== undefined) ||
    faults.some(({ source }) => source.includes("hosts"));
  if (!hostsTried) problems.push(missingHosts(path, text.value));

  const mayBeReached = (jid: Jid) => hosts.size === 0 || [...hosts.values()].some((host) => mayReceive(host, jid));
  const aliases = readAliases(sorted.aliases, mayBeReached, report);
  if (problems.length > 0) return { problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  const config: Config = {
    http: {
      listen: http.listen,
      tls,
      socketMode: http.socket_mode,
      reusePort: http.reuse_port,
      path: http.path,
      rest: http.rest,
      maxBodyBytes: http.max_body,
      maxInFlight: http.max_in_flight,
      forbiddenCharacters: http.forbidden_characters,
      waitMaxMs: http.wait_max,
      maxRecipients: http.max_recipients,
      trustedProxies: http.trusted_proxies,
      allowedOrigins: http.allowed_origins,
    },
    sessions: {
      idleMs: sessions.idle,
      max: sessions.max,
      loginTimeoutMs: sessions.login_timeout,
      loginConcurrency: sessions.login_concurrency,
      verifyMs: sessions.verify,
      keepaliveMs: sessions.keepalive,
    },
    throttle: {
      rememberFailureMs: throttle.remember_failure,
      failureDelayMs: throttle.failure_delay,
      addressPerMinute: throttle.address_per_minute,
      addressPerDay: throttle.address_per_day,
      accountPerHour: throttle.account_per_hour,
      serverFailures: throttle.server_failures,
      serverFailuresBurst: throttle.server_failures_burst,
    },
    delivery: {
      ackTimeoutMs: delivery.ack_timeout,
      maxPending: delivery.max_pending,
      maxPendingBytes: delivery.max_pending_bytes,
    },
    metrics,
    rooms: { idleMs: rooms.idle },
    log,
    aliases,
    hosts,
  };
  // Another certificate can be taken in while the listener runs; TLS where there was none cannot.
  const fixed = readFixed(sorted).set("[http] tls_cert", tls !== undefined);
  return { config, warnings, fixed };
}

async function readText(path: string): Promise<{ readonly value: string } | { readonly rule: string }> {
  try {
    return { value: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)) };
  } catch (error) {
    const reason = error instanceof TypeError ? "it is not UTF-8" : whyUnreadable(error);
    return { rule: `must be a readable configuration file; ${reason}` };
  }
}

function describeFault(file: string, { path, line, rule, source }: TomlFault): ConfigProblem {
  return {
    file,
    line,
    key: path === undefined ? undefined : keyLabel(path),
    rule,
    received: showReceived(path, source),
  };
}

/** Its line is the last one, behind which a table can be put. */
function missingHosts(file: string, text: string): ConfigProblem {
  return {
    file,
    line: text.trimEnd().split("\n").length,
    key: "[hosts]",
    rule: `must allow at least one domain to log in: [hosts."example.com"]`,
    received: "none",
  };
}
