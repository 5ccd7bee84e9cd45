/**
 * The configuration: what the program knows of its settings (`Config`), and how a file becomes one (`loadConfig`). The
 * settings themselves stand in config/settings.ts.
 */

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type ConnectAddress, isLoopback, type ListenAddress } from "./config/addresses.ts";
import { readCertificates, whyUnreadable } from "./config/certificates.ts";
import type { Network } from "./config/networks.ts";
import { type ConfigProblem, keyLabel, showSource } from "./config/problem.ts";
import { type HostTable, type Report, readValues, sortEntries, toProblem } from "./config/read.ts";
import { matchesRecipient, type RecipientPattern } from "./config/recipients.ts";
import { hostSettings, sections } from "./config/settings.ts";
import { readToml, type TomlFault } from "./config/toml.ts";
import { type Jid, parseJid } from "./jid.ts";

export interface Config {
  readonly http: {
    readonly listen: ListenAddress;
    /** Of a Unix socket. */
    readonly socketMode: number;
    /** A new process may take the address over. */
    readonly reusePort: boolean;
    readonly path: string;
    readonly maxBodyBytes: number;
    /** Requests at one time. */
    readonly maxInFlight: number;
    /** What XML 1.0 cannot carry; "replace" puts U+FFFD in its place. */
    readonly forbiddenCharacters: "refuse" | "replace";
    readonly waitMaxMs: number;
    readonly trustedProxies: readonly Network[];
  };
  readonly sessions: {
    readonly idleMs: number;
    readonly max: number;
    readonly loginTimeoutMs: number;
    readonly loginConcurrency: number;
    readonly verifyMs: number;
    readonly keepaliveMs: number;
  };
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
  };
  /** The domains that may log in, by `Jid.domain`. */
  readonly hosts: ReadonlyMap<string, HostConfig>;
}

export interface HostConfig {
  readonly domain: string;
  /** Undefined: DNS SRV. */
  readonly connect: ConnectAddress | undefined;
  /** PEM certificates trusted for this host beside the system's. */
  readonly caCertificates: readonly string[];
  readonly recipients: readonly RecipientPattern[];
  /** Milliseconds for which a refusal may follow an acknowledgement; "auto": by what the server says it is. */
  readonly grace: number | "auto";
  readonly maxStanzaBytes: number;
  /** True only together with a loopback `connect`. */
  readonly insecurePlaintext: boolean;
}

export type LoadedConfig =
  | { readonly config: Config; readonly warnings: readonly ConfigProblem[] }
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
  const [http, sessions, delivery, throttle, log] = [
    valuesOf("http"),
    valuesOf("sessions"),
    valuesOf("delivery"),
    valuesOf("throttle"),
    valuesOf("log"),
  ];
  const hosts = await readHosts(sorted.hosts, { folder: dirname(path), faults }, report);
  const hostsTried =
    entries.some(({ path: [section, host], value }) => section === "hosts" && (host ?? value) !== undefined) ||
    faults.some(({ source }) => source.includes("hosts"));
  if (!hostsTried) problems.push(missingHosts(path, text.value));

  if (problems.length > 0) return { problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  const config: Config = {
    http: {
      listen: http.listen,
      socketMode: http.socket_mode,
      reusePort: http.reuse_port,
      path: http.path,
      maxBodyBytes: http.max_body,
      maxInFlight: http.max_in_flight,
      forbiddenCharacters: http.forbidden_characters,
      waitMaxMs: http.wait_max,
      trustedProxies: http.trusted_proxies,
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
    log,
    hosts,
  };
  return { config, warnings };
}

/** Whether the users of a host may write to somebody; the recipient's resource does not matter. */
export function mayReceive(host: HostConfig, recipient: Jid): boolean {
  return host.recipients.some((pattern) => matchesRecipient(pattern, recipient));
}

interface HostSurroundings {
  /** Where relative paths start. */
  readonly folder: string;
  /** What seems absent may be there, in a line that could not be read. */
  readonly faults: readonly TomlFault[];
}

async function readHosts(
  tables: readonly HostTable[],
  surroundings: HostSurroundings,
  report: Report,
): Promise<ReadonlyMap<string, HostConfig>> {
  const hosts = new Map<string, HostConfig>();
  const names = new Map<string, HostTable>();
  for (const table of tables) {
    const domain = readDomain(table, report);
    const host = await readHost(domain ?? table.name, table, surroundings, report);
    if (domain === undefined) continue;
    const earlier = names.get(domain);
    if (earlier !== undefined) {
      report.problem(
        table.start,
        `must not be the domain of ${keyLabel(["hosts", earlier.name])} in line ${earlier.start.line} again`,
      );
    }
    names.set(domain, table);
    hosts.set(domain, host);
  }
  return hosts;
}

function readDomain({ name, start }: HostTable, report: Report): string | undefined {
  const parsed = parseJid(name);
  if ("problem" in parsed) {
    report.problem(start, `must be a domain such as "example.com": ${parsed.problem}`);
    return undefined;
  }
  if (parsed.jid.local !== undefined || parsed.jid.resource !== undefined) {
    report.problem(start, `must be a domain such as "example.com", without a user or a resource`);
    return undefined;
  }
  return parsed.jid.domain;
}

async function readHost(
  domain: string,
  { name, entries }: HostTable,
  { folder, faults }: HostSurroundings,
  report: Report,
): Promise<HostConfig> {
  const values = readValues(hostSettings, (key) => entries.get(key));
  const { connect, recipients, grace, max_stanza: maxStanzaBytes, insecure_plaintext: insecurePlaintext } = values;
  const caFile = entries.get("ca_file");
  let caCertificates: readonly string[] = [];
  if (values.ca_file !== undefined && caFile !== undefined) {
    const read = await readCertificates(resolve(folder, values.ca_file));
    if ("rule" in read) report.problem(caFile, read.rule);
    else caCertificates = read.value;
  }
  const plaintext = entries.get("insecure_plaintext");
  const broken = faults.some(({ path }) => path?.join("\n") === ["hosts", name, "connect"].join("\n"));
  const connectUnread = connect === undefined && (broken || entries.has("connect"));
  if (insecurePlaintext && plaintext !== undefined && !connectUnread) {
    if (connect === undefined || !isLoopback(connect.hostname)) {
      report.problem(plaintext, `must stand beside a loopback connect (127.0.0.0/8, [::1] or localhost)`);
    } else if (connect.tls === "direct") {
      report.warning(plaintext, "has no effect with an xmpps:// connect, which is encrypted from its first byte");
    }
  }
  return { domain, connect, caCertificates, recipients, grace, maxStanzaBytes, insecurePlaintext };
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
  return { file, line, key: path === undefined ? undefined : keyLabel(path), rule, received: showSource(source) };
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
