/** The configuration file of a gateway under test. */

import type { Authority } from "./ca.ts";
import type { TempFolder } from "./temp-folder.ts";

type Value = string | number | boolean | readonly string[];
type Table = Readonly<Record<string, Value>>;

export interface HostTable {
  /** Left out: DNS says it. */
  readonly connect?: string;
  /** Becomes `ca_file`. */
  readonly ca?: Authority | undefined;
  /** The host's further settings. */
  readonly more?: Table;
}

export interface ConfigTables {
  /** By section, e.g. { delivery: { ack_timeout: "300ms" } }. [http] listen is any free port unless it stands here. */
  readonly settings?: Readonly<Record<string, Table>>;
  /** By domain. */
  readonly hosts: Readonly<Record<string, HostTable>>;
}

/** Writes the file, and the certificates that it names, into the folder; returns the file's path. */
export async function writeConfig(folder: TempFolder, { settings = {}, hosts }: ConfigTables): Promise<string> {
  const sections = { ...settings, http: { listen: "127.0.0.1:0", ...settings["http"] } };
  const tables = Object.entries(sections).map(([name, table]) => writeTable(name, table));
  for (const [domain, { connect, ca, more }] of Object.entries(hosts)) {
    const caFile = ca === undefined ? {} : { ca_file: await folder.write(`${domain}.pem`, ca.certificatePem) };
    const address = connect === undefined ? {} : { connect };
    tables.push(writeTable(`hosts.${JSON.stringify(domain)}`, { ...address, ...caFile, ...more }));
  }
  return folder.write("post-msg.toml", tables.join("\n"));
}

/** The hosts of a gateway with the scripted peer behind it, which is trusted. */
export function hostOf(peer: Server, more: Table = {}, scheme: "xmpp" | "xmpps" = "xmpp"): ConfigTables["hosts"] {
  return { [peer.domain]: { connect: `${scheme}://${peer.host}:${peer.port}`, ca: peer.authority, more } };
}

interface Server {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  readonly authority: Authority;
}

/** JSON's texts, numbers, truths and lists of texts are TOML's too. */
function writeTable(name: string, table: Table): string {
  const lines = Object.entries(table).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `[${name}]\n${lines.join("\n")}\n`;
}
