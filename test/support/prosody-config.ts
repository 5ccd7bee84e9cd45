/** The configuration file of a throw-away Prosody. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Authority } from "./ca.ts";
import type { TempFolder } from "./temp-folder.ts";

const standardModules = [
  ...["admin_shell", "blocklist", "carbons", "disco", "pep", "ping", "posix", "presence", "private", "register"],
  ...["roster", "saslauth", "smacks", "time", "tls", "uptime", "version"],
];

export interface ProsodySettings {
  readonly folder: TempFolder;
  readonly domains: readonly string[];
  readonly authority: Authority;
  readonly c2sPort: number;
  readonly directTlsPort: number;
  readonly security?: "tls" | "plain";
  readonly roomsDomain?: string;
  readonly debianLimits?: boolean;
  readonly remoteDomains?: boolean;
  readonly modules?: readonly string[];
  readonly extraConfig?: string;
}

/** Writes the file, and the certificate and key of the domains beside it; returns the file's path. */
export async function writeProsodyConfig(settings: ProsodySettings): Promise<string> {
  const { folder, domains, authority } = settings;
  const names = settings.roomsDomain === undefined ? domains : [...domains, settings.roomsDomain];
  const { certificatePem, keyPem } = await authority.issue({ dnsNames: names });
  await folder.write("ca.pem", authority.certificatePem);
  const certificateFile = await folder.write("server.crt", certificatePem);
  const keyFile = await folder.write("server.key", keyPem);
  const dataFolder = join(folder.path, "data");
  await mkdir(dataFolder);
  // It looks for certificates there and logs an error where there is no such folder.
  await mkdir(join(folder.path, "certs"));

  const plain = settings.security === "plain";
  const modules = [
    ...standardModules.filter((name) => !(plain && name === "tls")),
    ...(settings.debianLimits === true ? ["limits"] : []),
    ...(settings.modules ?? []),
  ];
  const lines = [
    "run_as_root = true",
    `data_path = ${quote(dataFolder)}`,
    `pidfile = ${quote(join(folder.path, "prosody.pid"))}`,
    'log = { { levels = { min = "debug" }, to = "console" } }',
    'interfaces = { "127.0.0.1" }',
    `c2s_ports = { ${settings.c2sPort} }`,
    `c2s_direct_tls_ports = { ${plain ? "" : settings.directTlsPort} }`,
    settings.remoteDomains === true ? "" : 'modules_disabled = { "s2s" }',
    "s2s_ports = { }; s2s_direct_tls_ports = { }; http_ports = { }; https_ports = { }; component_ports = { }",
    `modules_enabled = { ${modules.map(quote).join("; ")} }`,
    'authentication = "internal_hashed"',
    settings.debianLimits === true ? 'limits = { c2s = { rate = "10kb/s" } }' : "",
    plain
      ? "c2s_require_encryption = false; allow_unencrypted_plain_auth = true"
      : `c2s_require_encryption = true; ssl = { certificate = ${quote(certificateFile)}; key = ${quote(keyFile)} }`,
    settings.extraConfig ?? "",
    ...domains.map((domain) => `VirtualHost ${quote(domain)}`),
    settings.roomsDomain === undefined ? "" : `Component ${quote(settings.roomsDomain)} "muc"`,
  ];
  return folder.write("prosody.cfg.lua", `${lines.join("\n")}\n`);
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
