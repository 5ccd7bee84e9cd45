/**
 * TLS for STARTTLS and direct TLS alike: the certificate is checked against the XMPP domain (RFC 6120 section 13.7.2),
 * whatever the environment says.
 */

import { isIP, type Socket } from "node:net";
import tls from "node:tls";
import { asciiDomain } from "../domain.ts";
import { type Code, Failure } from "../errors.ts";
import { withAbort } from "./deadline.ts";

export interface TlsIdentity {
  /** The XMPP domain, which the certificate must name. */
  readonly domain: string;
  /** PEM; trusted for this domain beside the system's. */
  readonly caCertificates: readonly string[];
}

/**
 * Takes the socket over; on failure it is destroyed. Rejects with a Failure that tells certificate errors apart, from
 * one another and from `stream_closed` and, with "starttls", `tls_injection`.
 */
export async function encrypt(
  socket: Socket,
  identity: TlsIdentity,
  begin: "starttls" | "direct",
  signal: AbortSignal,
): Promise<tls.TLSSocket> {
  const name = asciiDomain(identity.domain).replace(/^\[(.*)\]$/, "$1");
  const secure = tls.connect({
    socket,
    host: name,
    // SNI carries names only (RFC 6066 section 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ca: trustedCertificates(identity.caCertificates),
    ALPNProtocols: ["xmpp-client"],
    minVersion: "TLSv1.2",
    // Said outright, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment is the default otherwise.
    rejectUnauthorized: true,
    checkServerIdentity,
  });
  // Before the new owner listens, and after everybody let go, an error must not be fatal.
  secure.on("error", ignore);
  try {
    await handshake(secure, identity.domain, signal);
    if (!secure.authorized) throw secure.authorizationError ?? new Error("The certificate was not verified.");
    return secure;
  } catch (error) {
    secure.destroy();
    socket.destroy();
    if (error instanceof Failure) throw error;
    const code = errorCode(error);
    if (begin === "starttls" && notTls.includes(code)) throw injected(identity.domain, error);
    throw disconnected.includes(code) ? cutOff(identity.domain, error) : tlsFailure(error, identity.domain);
  }
}

async function handshake(secure: tls.TLSSocket, domain: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(cutOff(domain, new Error("The connection was closed.")));
  secure.once("secureConnect", resolve).once("error", reject).once("close", closed);
  try {
    await withAbort<void>(signal, (done, failed) => {
      promise.then(done, failed);
    });
  } finally {
    // A listener lives as long as the socket, and with it all that its login knew.
    secure.off("secureConnect", resolve).off("error", reject).off("close", closed);
  }
}

function ignore(): void {}

/** RFC 9525 section 2: names stand in the subjectAltName; Node would take the common name where it has none. */
function checkServerIdentity(host: string, certificate: tls.PeerCertificate): Error | undefined {
  return tls.checkServerIdentity(host, { ...certificate, subject: { ...certificate.subject, CN: "" } });
}

let systemCertificates: readonly string[] | undefined;

/** Passing `ca` replaces the defaults, so they are listed with it. */
function trustedCertificates(own: readonly string[]): string[] {
  systemCertificates ??= [...new Set([...tls.getCACertificates("default"), ...tls.getCACertificates("system")])];
  return [...systemCertificates, ...own];
}

const certificateCodes: Readonly<Record<string, Code>> = {
  CERT_HAS_EXPIRED: "certificate_expired",
  CERT_NOT_YET_VALID: "certificate_not_yet_valid",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate_name_mismatch",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate_self_signed",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate_untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "certificate_untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate_untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate_untrusted",
  CERT_CHAIN_TOO_LONG: "certificate_untrusted",
  CERT_REVOKED: "certificate_untrusted",
  CERT_SIGNATURE_FAILURE: "certificate_untrusted",
  CERT_UNTRUSTED: "certificate_untrusted",
  CERT_REJECTED: "certificate_untrusted",
  INVALID_CA: "certificate_untrusted",
  INVALID_PURPOSE: "certificate_untrusted",
  PATH_LENGTH_EXCEEDED: "certificate_untrusted",
  HOSTNAME_MISMATCH: "certificate_name_mismatch",
};

const sentences: Partial<Record<Code, string>> = {
  certificate_expired: "its certificate has expired; it needs a new one",
  certificate_not_yet_valid: "its certificate is not valid yet; check the clocks of both machines",
  certificate_name_mismatch: "its certificate is for another name; it needs one for this domain",
  certificate_self_signed:
    "its certificate is signed by itself; it needs one of a known authority, or ca_file in the gateway's settings",
  certificate_untrusted:
    "its certificate's authority is not known here; it needs one of a known authority, or ca_file in the gateway's settings",
};

/** Whoever sits on the line could put words before the handshake that would seem to come from behind it. */
export function injected(domain: string, cause?: unknown): Failure {
  return new Failure(
    "tls_injection",
    `Unencrypted data came from "${domain}" between STARTTLS and the TLS handshake, as in an attack.`,
    { cause },
  );
}

function cutOff(domain: string, cause: unknown): Failure {
  const detail = `The connection to the XMPP server of "${domain}" ended during the TLS handshake.`;
  return new Failure("stream_closed", detail, { cause });
}

/** What the library says of bytes that are no TLS record. */
const notTls: readonly string[] = ["ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_HTTP_REQUEST"];
const disconnected: readonly string[] = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNABORTED"];

function tlsFailure(error: unknown, domain: string): Failure {
  const code = certificateCodes[errorCode(error)] ?? "tls_failed";
  const reason = sentences[code] ?? "the TLS handshake failed; it needs TLS 1.2 or later";
  return new Failure(code, `The XMPP server of "${domain}" cannot be trusted: ${reason}.`, { cause: error });
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
