/** Which SASL mechanism a login uses, and whether it is bound to the TLS channel. */

import { randomBytes } from "node:crypto";
import { Failure } from "../../errors.ts";
import type { SaslExchange, ScramHash, Secret } from "./exchange.ts";
import { PlainExchange } from "./plain.ts";
import { passwordNeeded, ScramExchange } from "./scram.ts";

/** What the server's stream features say. */
export interface SaslOffer {
  readonly mechanisms: readonly string[];
  /** The types of XEP-0440's `<sasl-channel-binding/>`; empty when there is none. */
  readonly channelBindings: readonly string[];
}

export interface SaslContext {
  /** The server's domain, for sentences. */
  readonly host: string;
  /** The normalised localpart. */
  readonly username: string;
  readonly secret: Secret;
  readonly encrypted: boolean;
  /** `insecure_plaintext`: without it nothing at all is sent over an unencrypted stream. */
  readonly allowPlaintext: boolean;
  /** The 32 bytes of RFC 9266; undefined when they cannot be had. */
  readonly tlsExporter: Uint8Array | undefined;
}

/**
 * SCRAM bound to the channel, then SCRAM, then PLAIN; in each the stronger hash first. PLAIN only when no SCRAM of any
 * kind is offered. `clientNonce` is random but in tests.
 *
 * Throws `no_common_mechanism`, `password_needed` (the kept keys are for another mechanism), `credentials_unusable`, or
 * `tls_not_offered`, which a caller that checks for TLS itself never sees.
 */
export function chooseExchange(
  offer: SaslOffer,
  context: SaslContext,
  clientNonce: string = randomBytes(24).toString("base64"),
): SaslExchange {
  const { host, username, secret } = context;
  if (!context.encrypted && !context.allowPlaintext) {
    throw new Failure("tls_not_offered", `The login at "${host}" was not begun: the connection is not encrypted.`);
  }
  const tlsExporter = context.encrypted ? context.tlsExporter : undefined;
  const usable = usableScrams(offer, tlsExporter);
  const scram = "keys" in secret ? usable.find(({ hash }) => hash === secret.keys.hash) : usable[0];
  if (scram !== undefined) {
    return new ScramExchange({
      ...scram,
      ...channelBinding(scram, offer, tlsExporter),
      host,
      username,
      secret,
      clientNonce,
    });
  }
  const plain = offer.mechanisms.includes("PLAIN") && !offer.mechanisms.some((name) => name.startsWith("SCRAM-"));
  if (plain && "password" in secret) return new PlainExchange(host, username, secret.password);
  if (plain || usable.length > 0) throw passwordNeeded(host);
  throw new Failure(
    "no_common_mechanism",
    `The login at "${host}" could not be done: the server offers ${listed(offer.mechanisms)}, and SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1 or, where there is no SCRAM, PLAIN was needed.`,
  );
}

interface Scram {
  readonly mechanism: string;
  readonly hash: ScramHash;
  readonly bound: boolean;
}

const scrams: readonly Scram[] = [
  { mechanism: "SCRAM-SHA-512-PLUS", hash: "sha512", bound: true },
  { mechanism: "SCRAM-SHA-256-PLUS", hash: "sha256", bound: true },
  { mechanism: "SCRAM-SHA-1-PLUS", hash: "sha1", bound: true },
  { mechanism: "SCRAM-SHA-512", hash: "sha512", bound: false },
  { mechanism: "SCRAM-SHA-256", hash: "sha256", bound: false },
  { mechanism: "SCRAM-SHA-1", hash: "sha1", bound: false },
];

/**
 * A server that offers -PLUS without saying for which types may know only types that we do not have; ejabberd 23 is
 * such a one. So tls-exporter has to be named.
 */
function usableScrams(offer: SaslOffer, tlsExporter: Uint8Array | undefined): readonly Scram[] {
  const canBind = tlsExporter !== undefined && offer.channelBindings.includes("tls-exporter");
  return scrams.filter(({ mechanism, bound }) => offer.mechanisms.includes(mechanism) && (canBind || !bound));
}

/** RFC 5802 section 6: "y" lets the server notice that somebody has taken the -PLUS mechanisms out of its offer. */
function channelBinding(scram: Scram, offer: SaslOffer, tlsExporter: Uint8Array | undefined) {
  const none = new Uint8Array();
  if (scram.bound && tlsExporter !== undefined) return { gs2Header: "p=tls-exporter,,", bindingData: tlsExporter };
  const plusOffered = offer.mechanisms.some((name) => name.endsWith("-PLUS"));
  return { gs2Header: tlsExporter !== undefined && !plusOffered ? "y,," : "n,,", bindingData: none };
}

/** Only names that RFC 4422 section 3.1 allows: the rest of what a server says is not for the caller's eyes. */
function listed(mechanisms: readonly string[]): string {
  const names = mechanisms.filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name)).slice(0, 12);
  return names.length === 0 ? "no mechanism" : names.map((name) => `"${name}"`).join(", ");
}
