/** The `[hosts."…"]` tables: the domains that may log in, how each is reached, and whom its users may write to. */

import { resolve } from "node:path";
import { type Jid, parseJid } from "../jid.ts";
import { type ConnectAddress, isLoopback } from "./addresses.ts";
import { readCertificates } from "./certificates.ts";
import { keyLabel } from "./problem.ts";
import { type HostTable, type Report, readValues } from "./read.ts";
import { matchesRecipient, type RecipientPattern } from "./recipients.ts";
import { hostSettings } from "./settings.ts";
import type { TomlFault } from "./toml.ts";

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

interface HostSurroundings {
  /** Where relative paths start. */
  readonly folder: string;
  /** What seems absent may be there, in a line that could not be read. */
  readonly faults: readonly TomlFault[];
}

export async function readHosts(
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

/** Whether the users of a host may write to somebody; the recipient's resource does not matter. */
export function mayReceive(host: HostConfig, recipient: Jid): boolean {
  return host.recipients.some((pattern) => matchesRecipient(pattern, recipient));
}
