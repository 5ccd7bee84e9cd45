/** The configuration file of a throw-away ejabberd. */

import type { Authority } from "./ca.ts";
import type { TempFolder } from "./temp-folder.ts";

type Entries = Readonly<Record<string, unknown>>;

export interface EjabberdSettings {
  readonly folder: TempFolder;
  readonly domains: readonly string[];
  readonly authority: Authority;
  readonly c2sPort: number;
  readonly directTlsPort: number;
  /** For mod_http_api, open to everybody on loopback. */
  readonly apiPort: number;
  readonly security?: "tls" | "plain";
  readonly roomsDomain?: string;
  readonly debianLimits?: boolean;
  readonly remoteDomains?: boolean;
  readonly modules?: Readonly<Record<string, Entries>>;
  readonly extraConfig?: Entries;
}

/** Writes the file, and the domains' certificate with its key beside it; returns the file's path. */
export async function writeEjabberdConfig(settings: EjabberdSettings): Promise<string> {
  const { folder, domains, authority, roomsDomain } = settings;
  const { certificatePem, keyPem } = await authority.issue({
    dnsNames: roomsDomain === undefined ? domains : [...domains, roomsDomain],
  });
  await folder.write("ca.pem", authority.certificatePem);
  const certificateFile = await folder.write("server.pem", certificatePem + keyPem);
  const config = {
    hosts: domains,
    loglevel: "info",
    certfiles: [certificateFile],
    // It would look for a certificate authority on the Internet otherwise.
    acme: { auto: false },
    listen: listeners(settings),
    auth_method: "internal",
    auth_password_format: "scram",
    access_rules: { local: { allow: "all" } },
    api_permissions: { everything: { who: [{ ip: "127.0.0.0/8" }], what: ["*"] } },
    ...(settings.remoteDomains === true ? {} : { s2s_access: "none" }),
    ...(settings.debianLimits === true ? debianLimits : {}),
    modules: { ...modules(settings), ...settings.modules },
    ...settings.extraConfig,
  };
  // JSON is YAML too.
  return folder.write("ejabberd.yml", JSON.stringify(config, undefined, 2));
}

/** What Debian's configuration file says. */
const debianLimits = {
  shaper: { normal: { rate: 3000, burst_size: 20_000 }, fast: 200_000 },
  shaper_rules: { max_user_sessions: 10, max_user_offline_messages: 100, c2s_shaper: "normal", s2s_shaper: "fast" },
};

function listeners({ c2sPort, directTlsPort, apiPort, security, debianLimits }: EjabberdSettings): Entries[] {
  const shaped = debianLimits === true ? { shaper: "c2s_shaper" } : {};
  const clients = { ip: "127.0.0.1", module: "ejabberd_c2s", max_stanza_size: 262_144, access: "all", ...shaped };
  const api = { port: apiPort, ip: "127.0.0.1", module: "ejabberd_http", request_handlers: { "/api": "mod_http_api" } };
  if (security === "plain") return [{ ...clients, port: c2sPort }, api];
  return [
    { ...clients, port: c2sPort, starttls: true, starttls_required: true },
    { ...clients, port: directTlsPort, tls: true },
    api,
  ];
}

function modules({ roomsDomain, debianLimits }: EjabberdSettings): Record<string, Entries> {
  const names = ["admin_extra", "blocking", "caps", "carboncopy", "disco", "http_api", "offline", "ping", "privacy"];
  const plain = [...names, "private", "roster", "stream_mgmt", "version"].map((name) => [`mod_${name}`, {}]);
  return {
    ...Object.fromEntries(plain),
    ...(debianLimits === true
      ? { mod_fail2ban: {}, mod_offline: { access_max_user_messages: "max_user_offline_messages" } }
      : {}),
    ...(roomsDomain === undefined
      ? {}
      : { mod_muc: { host: roomsDomain, max_user_conferences: 1000 }, mod_muc_admin: {} }),
  };
}
