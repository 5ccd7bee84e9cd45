/** What to change, and where: one text for each way in which the way to an XMPP server can fail. */

import type { Code, Failure } from "../errors.ts";
import type { Finding, Query, Step } from "../findings.ts";
import { type Place, showEndpoint } from "./place.ts";

export interface Context {
  readonly place: Place;
  readonly queries: readonly Query[];
  readonly findings: readonly Finding[];
}

type Remedy = string | ((context: Context, failure: Failure, step: Step) => string);

export function remedyFor(failure: Failure, step: Step, context: Context): string {
  const remedy = remedies[failure.code] ?? unforeseen;
  return typeof remedy === "string" ? remedy : remedy(context, failure, step);
}

const unforeseen = "The log of the XMPP server says more about this moment.";

const remedies: Partial<Record<Code, Remedy>> = {
  name_not_found: (context) => {
    const { place } = context;
    if (place.connect !== undefined)
      return `DNS does not know the name in ${setting(place, "connect")}: mend it there.`;
    return `Is "${place.domain}" spelled as in your users' addresses? If it is, give it an SRV record in DNS (${srvRecord(place)}), or ${putConnect(place)}.`;
  },
  name_lookup_failed: ({ place }) =>
    `This machine's name servers did not answer. Look at /etc/resolv.conf and the network; "getent hosts ${place.domain}" asks them too.`,
  server_unreachable: unreachable,
  login_timeout: (context, _, step) =>
    step === "login"
      ? "The server began the login and did not finish it; its log may say why, or what it waits for (a database, LDAP)."
      : `Something accepts connections there and is silent. Is it the XMPP server, and its port for ${wanted(context)}? ${wrongKind(context)}`,
  tls_not_offered: ({ place }) =>
    `Give the XMPP server a certificate for "${place.domain}" and switch STARTTLS on: the module "tls" and "prosodyctl cert import" in Prosody, starttls: true and certfiles in ejabberd. Only where the server is on this very machine, insecure_plaintext = true in ${section(place)} does without.`,
  tls_failed: (context, failure) =>
    /UNRECOGNIZED_NAME/.test(failure.cause instanceof Error ? failure.cause.message : "")
      ? `The server does not serve "${context.place.domain}", or has no certificate for it. ${whereItIsSet(context)}`
      : `The server has to speak TLS 1.2 or later on this port. ${wrongKind(context)}`,
  tls_injection:
    "Something between this machine and the server changes what is sent, or the server is badly broken. Compare with a connection from another network.",
  certificate_expired: ({ place }) =>
    `Renew the certificate of "${place.domain}" on the XMPP server. If it has been renewed already, the server has not loaded it: "prosodyctl --root cert import /etc/letsencrypt/live", or "ejabberdctl reload_config".`,
  certificate_not_yet_valid: "Compare the clocks of both machines with the right time; one of them is wrong.",
  certificate_name_mismatch: ({ place }) =>
    `The XMPP server needs a certificate that names "${place.domain}", the part of the addresses behind the @; the name of the machine alone does not do. Get one with that name (certbot -d ${place.domain}), and tell the server to use it for this domain.`,
  certificate_self_signed: (context) => untrusted(context),
  certificate_untrusted: (context) =>
    context.place.hasCaFile
      ? `The certificate is not signed by what stands in ${setting(context.place, "ca_file")}: put the certificate of its authority there. If its authority is a public one, the server sends its own certificate alone: have it send the whole chain (fullchain.pem).`
      : `${untrusted(context)} If its authority is a public one, the server sends its own certificate alone: have it send the whole chain (fullchain.pem).`,
  no_common_mechanism:
    'Switch SCRAM on in the XMPP server: authentication = "internal_hashed" in Prosody, auth_password_format: scram in ejabberd. Where passwords are elsewhere (LDAP, PAM), PLAIN does as well.',
  server_not_proven:
    "The server could not show that it knows this password: it is not the server that the account is on, or its store is broken. Check where this connection ends.",
  host_unknown: (context) =>
    `The server at this address serves other domains. ${whereItIsSet(context)} Or add "${context.place.domain}" to the server: VirtualHost "${context.place.domain}" in Prosody, hosts: in ejabberd.`,
  redirect: ({ place }) => `Set ${setting(place, "connect")} to the server that it names, if it is yours.`,
  protocol_error: (context) => `Is it an XMPP server that listens there, for ${wanted(context)}? ${wrongKind(context)}`,
  stream_closed: (context, _, step) =>
    step === "message" || step === "login"
      ? unforeseen
      : `The other side hung up. The log of the XMPP server says why, if it is one. ${wrongKind(context)}`,
  server_busy: "The server is overloaded, or the account has as many sessions as it may: try again later.",
  server_shutdown: "The server is being stopped or restarted: try again in a minute.",
  server_policy: banned,
  login_temporarily_failed:
    "The server does not check passwords at the moment: too many failed logins from here in a short time (wait a minute), or its store of passwords is down (its log says so).",
  login_failed: unforeseen,
  login_expired: "The account was changed during the login: try again.",
  session_replaced: "Another client of the account took the session's place: try again.",
  credentials_rejected: ({ place }) => {
    const account = place.account ?? `USER@${place.domain}`;
    const [local = "USER"] = account.split("@");
    return `Check the address and the password, for instance by a login with a chat client. To set a new one: "prosodyctl passwd ${account}", or "ejabberdctl change_password ${local} ${place.domain} NEW". An account that is disabled, or does not exist, is refused in the same words.`;
  },
  credentials_unusable: "The password is empty, or has a character in it that no password may have, such as a tab.",
  ack_timeout: unforeseen,
};

function unreachable(context: Context, failure: Failure): string {
  const { place, queries } = context;
  const services = queries.filter(({ type }) => type === "SRV");
  const records = services.flatMap(({ answers }) => answers);
  const tried = context.findings.find((finding) => finding.step === "name")?.endpoints ?? [];
  if (tried.length === 0) {
    return `DNS says that "${place.domain}" has no XMPP server for clients: mend its SRV records (${srvRecord(place)}), or ${putConnect(place)}.`;
  }
  const where = tried.map(showEndpoint).join(", ");
  const refused = wasRefused(failure);
  const why = refused
    ? `nothing listens at ${where}`
    : `nothing answers at ${where}, as behind a firewall, with a wrong address, or where this machine's address is banned`;
  const start = refused ? "start the XMPP server" : "let this machine through to the XMPP server";
  if (place.connect !== undefined) return `By ${setting(place, "connect")}, ${why}: correct it, or ${start}.`;
  if (records.length > 0) return `By its SRV records, ${why}: correct them, or ${start}.`;
  return `"${place.domain}" has no SRV record, and ${why}. If its server is elsewhere, say so in DNS (${srvRecord(place)}), or ${putConnect(place)}; if not, ${start}.`;
}

function wasRefused({ cause }: Failure): boolean {
  const errors: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [];
  return errors.some((error) => error instanceof Error && /ECONNREFUSED/.test(`${error.message} ${codeOf(error)}`));
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}

/** Also the rates and sizes that a server allows, but nothing has been sent yet. */
function banned({ findings, place }: Context, _: Failure, step: Step): string {
  if (step === "message") return "The server's policy forbids the message; its log says which rule it was.";
  const local = findings.find((finding) => finding.step === "connection")?.localAddress;
  const address = local === undefined || isPrivate(local) ? "THIS-ADDRESS" : local;
  const from = local === undefined ? "" : ` (here it is ${local}, unless it is translated on the way)`;
  return `The server lets nobody in from this machine's address${from}, mostly a ban after failed logins. Lift it ("ejabberdctl unban_ip ${address}" in ejabberd; "fail2ban-client unban ${address}" where fail2ban does it), put the address on the server's list of those that are never banned, and find out who tries wrong passwords for "${place.domain}" at the gateway: its log has the address of each.`;
}

/** Addresses that hardly are what the server sees. */
function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|f[cd]|fe80)/i.test(address);
}

function untrusted({ place }: Context): string {
  return `If the certificate is your own authority's, copy that authority's certificate (PEM) to this machine and name it in ${setting(place, "ca_file")}. Otherwise give the XMPP server a certificate of a public authority, such as Let's Encrypt.`;
}

function whereItIsSet({ place }: Context): string {
  return place.connect === undefined
    ? `Correct the SRV records of "${place.domain}", or set ${setting(place, "connect")}.`
    : `Correct ${setting(place, "connect")}.`;
}

function endpointOf({ findings }: Context) {
  return findings.find((finding) => finding.step === "connection")?.endpoint;
}

function wanted(context: Context): string {
  return endpointOf(context)?.tls === "direct"
    ? "direct TLS (xmpps://, mostly 5223)"
    : "STARTTLS (xmpp://, mostly 5222)";
}

function wrongKind(context: Context): string {
  return endpointOf(context)?.tls === "direct"
    ? "If the port is one for STARTTLS, connect has to begin with xmpp://, or the SRV record to be an _xmpp-client one."
    : "If the port is one for direct TLS, connect has to begin with xmpps://, or the SRV record to be an _xmpps-client one.";
}

function srvRecord({ domain }: Place): string {
  return `_xmpp-client._tcp.${domain}. IN SRV 0 5 5222 NAME-OF-THE-SERVER.`;
}

function putConnect(place: Place): string {
  return `put connect = "xmpp://ADDRESS:5222" under ${section(place)}`;
}

function section({ domain, file }: Place): string {
  return `[hosts."${domain}"] in ${file}`;
}

function setting(place: Place, key: string): string {
  return `[hosts."${place.domain}"] ${key} in ${place.file}`;
}
