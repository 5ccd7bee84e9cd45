/**
 * What an XMPP server says -> our code and a sentence for the caller. One table each for SASL, stream and stanza
 * errors; a name that is in none of them is treated as the RFC's own "undefined". The server's words stay in `cause`.
 */

import { type Code, Failure } from "../errors.ts";

/** The sentence is begun by the function that reads the table. */
export type Row = readonly [code: Code, ending: string];

/** RFC 6120 section 6.5. */
export type SaslCondition =
  | "aborted"
  | "account-disabled"
  | "credentials-expired"
  | "encryption-required"
  | "incorrect-encoding"
  | "invalid-authzid"
  | "invalid-mechanism"
  | "malformed-request"
  | "mechanism-too-weak"
  | "not-authorized"
  | "temporary-auth-failure";

/** RFC 6120 section 4.9.3. */
export type StreamCondition =
  | "bad-format"
  | "bad-namespace-prefix"
  | "conflict"
  | "connection-timeout"
  | "host-gone"
  | "host-unknown"
  | "improper-addressing"
  | "internal-server-error"
  | "invalid-from"
  | "invalid-namespace"
  | "invalid-xml"
  | "not-authorized"
  | "not-well-formed"
  | "policy-violation"
  | "remote-connection-failed"
  | "reset"
  | "resource-constraint"
  | "restricted-xml"
  | "see-other-host"
  | "system-shutdown"
  | "undefined-condition"
  | "unsupported-encoding"
  | "unsupported-feature"
  | "unsupported-stanza-type"
  | "unsupported-version";

/** RFC 6120 section 8.3.3, and payment-required, which only RFC 3920 section 9.3.3 has. */
export type StanzaCondition =
  | "bad-request"
  | "conflict"
  | "feature-not-implemented"
  | "forbidden"
  | "gone"
  | "internal-server-error"
  | "item-not-found"
  | "jid-malformed"
  | "not-acceptable"
  | "not-allowed"
  | "not-authorized"
  | "payment-required"
  | "policy-violation"
  | "recipient-unavailable"
  | "redirect"
  | "registration-required"
  | "remote-server-not-found"
  | "remote-server-timeout"
  | "resource-constraint"
  | "service-unavailable"
  | "subscription-required"
  | "undefined-condition"
  | "unexpected-request";

/**
 * `<failure/>` of a login at `host`. Whatever tells something about the account (that it exists, is disabled, has an
 * old password) is `credentials_rejected` with one and the same sentence, so that a guesser learns nothing from it.
 */
export function saslFailure(condition: string, host: string, cause: unknown): Failure {
  const [code, ending] = rowOf(saslRows, condition, "login_failed");
  return new Failure(code, `The login at "${host}" was refused: ${ending}.`, { cause });
}

/** `<stream:error/>` from `host`, before or after the login. */
export function streamFailure(condition: string, host: string, cause: unknown): Failure {
  const [code, ending] = rowOf(streamRows, condition, "undefined-condition");
  const advice = code === "host_unknown" ? `; ${addressSetting(host)} leads to a server of other domains` : "";
  return new Failure(code, `The XMPP server of "${host}" ended the connection: ${ending}${advice}.`, { cause });
}

/** `<error type="errorType"/>` in answer to a message to `to`. */
export function stanzaFailure(condition: string, errorType: string | undefined, to: string, cause: unknown): Failure {
  return refusal(`The message to "${to}" was refused`, stanzaRow(condition), errorType, cause);
}

/** `refused` begins the sentence. Type "wait" turns any 502 into a 503. */
export function refusal(refused: string, [code, ending]: Row, errorType: string | undefined, cause: unknown): Failure {
  if (errorType === "wait" && badGateways.has(code)) {
    const detail = `${refused}: ${ending}; the server says that this is temporary.`;
    return new Failure("temporarily_refused", detail, { cause });
  }
  return new Failure(code, `${refused}: ${ending}.`, { cause });
}

export function stanzaRow(condition: string): Row {
  return rowOf(stanzaRows, condition, "undefined-condition");
}

function addressSetting(host: string): string {
  return `the address in DNS, or "connect" under [hosts."${host}"] in the gateway's settings,`;
}

export function rowOf<Name extends string>(rows: Readonly<Record<Name, Row>>, name: string, fallback: Name): Row {
  return isNameOf(rows, name) ? rows[name] : rows[fallback];
}

function isNameOf<Name extends string>(rows: Readonly<Record<Name, Row>>, name: string): name is Name {
  return Object.hasOwn(rows, name);
}

const rejected: Row = ["credentials_rejected", "this account and password were not accepted"];

const saslRows: Readonly<Record<SaslCondition | "login_failed", Row>> = {
  aborted: ["login_failed", "the server says that the gateway gave up"],
  "account-disabled": rejected,
  "credentials-expired": rejected,
  "encryption-required": ["no_common_mechanism", "the server wants this mechanism only over an encrypted connection"],
  "incorrect-encoding": ["login_failed", "the server could not decode what the gateway sent"],
  // We never ask to act as another account, so what the server objects to is the account's own name.
  "invalid-authzid": rejected,
  "invalid-mechanism": ["no_common_mechanism", "the server does not take the mechanism that it had offered"],
  "malformed-request": ["login_failed", "the server could not understand what the gateway sent"],
  "mechanism-too-weak": ["no_common_mechanism", "the server's policy needs a stronger mechanism for this account"],
  "not-authorized": rejected,
  "temporary-auth-failure": ["login_temporarily_failed", "the server cannot check passwords at the moment"],
  login_failed: ["login_failed", "the server gave a reason that the gateway does not know"],
};

const badXml: Row = ["stanza_complaint", "it could not read the XML that the gateway sent"];
const unsupported: Row = ["protocol_error", "it does not support what the gateway needs of it"];
const hostUnknown: Row = ["host_unknown", "it does not serve this domain"];

const streamRows: Readonly<Record<StreamCondition, Row>> = {
  "bad-format": badXml,
  "bad-namespace-prefix": badXml,
  conflict: ["session_replaced", "another session of this account has taken its place"],
  "connection-timeout": ["stream_closed", "it had not heard from the gateway for too long"],
  "host-gone": hostUnknown,
  "host-unknown": hostUnknown,
  "improper-addressing": ["protocol_error", "it found a missing or wrong address in what the gateway sent"],
  "internal-server-error": ["stream_closed", "it has a fault"],
  "invalid-from": ["protocol_error", "it did not take the address that the gateway gave as the sender's"],
  "invalid-namespace": badXml,
  "invalid-xml": badXml,
  "not-authorized": ["login_expired", "it does not regard the connection as logged in"],
  "not-well-formed": badXml,
  // Rate, size and connection limits, and bans of an address: the stream's fate, not a verdict on any one message.
  "policy-violation": ["server_policy", "its policy does not allow what was sent on it, or not so much of it"],
  "remote-connection-failed": ["login_temporarily_failed", "it cannot reach a server that it needs for the login"],
  reset: ["login_expired", "the account's password or rights have changed, and a new login is needed"],
  "resource-constraint": ["server_busy", "it is overloaded"],
  "restricted-xml": badXml,
  // RFC 6120 section 4.9.3.19 lets a client follow; with a password at stake the settings decide where to connect.
  "see-other-host": ["redirect", "it points to another host, which the gateway does not follow; set connect instead"],
  "system-shutdown": ["server_shutdown", "it is shutting down"],
  "undefined-condition": ["stream_closed", "it gave a reason that the gateway does not know"],
  "unsupported-encoding": unsupported,
  "unsupported-feature": unsupported,
  "unsupported-stanza-type": ["stanza_complaint", "it does not know the kind of stanza that the gateway sent"],
  "unsupported-version": unsupported,
};

/** The codes of stanza errors that src/http answers with 502. */
const badGateways: ReadonlySet<Code> = new Set<Code>([
  "feature_not_implemented",
  "internal_server_error",
  "not_authorized",
  "redirect",
  "remote_server_not_found",
  "undefined_condition",
  "unexpected_request",
]);

const stanzaRows: Readonly<Record<StanzaCondition, Row>> = {
  "bad-request": ["bad_request", "the server does not regard it as a valid message"],
  conflict: ["conflict", "it conflicts with something that exists already"],
  "feature-not-implemented": ["feature_not_implemented", "the server does not implement what it asks for"],
  forbidden: ["forbidden", "the sender does not have the rights for it"],
  gone: ["gone", "the recipient is no longer at this address"],
  "internal-server-error": ["internal_server_error", "the server has a fault"],
  "item-not-found": ["item_not_found", "there is no such recipient"],
  "jid-malformed": ["jid_malformed", "the server does not regard the recipient as a valid address"],
  "not-acceptable": ["not_acceptable", "it does not meet what the recipient or server demands"],
  "not-allowed": ["not_allowed", "the server allows it to nobody, or does not talk to that domain"],
  "not-authorized": ["not_authorized", "the server does not take the sender as logged in, or wants a further password"],
  "payment-required": ["payment_required", "the server wants to be paid for it"],
  "policy-violation": ["policy_violation", "it is against the server's policy"],
  "recipient-unavailable": ["recipient_unavailable", "the recipient is not available at the moment"],
  redirect: ["redirect", "the server wants it sent to another address, which the gateway does not do by itself"],
  "registration-required": ["registration_required", "the sender has to register there first"],
  "remote-server-not-found": ["remote_server_not_found", "the recipient's server could not be found"],
  "remote-server-timeout": ["remote_server_timeout", "the recipient's server could not be reached in time"],
  "resource-constraint": ["resource_constraint", "the server lacks the resources, such as room in a queue"],
  "service-unavailable": ["service_unavailable", "the recipient does not exist or cannot be reached"],
  "subscription-required": ["subscription_required", "the sender has to subscribe to the recipient first"],
  "undefined-condition": ["undefined_condition", "the server gave a reason that the gateway does not know"],
  "unexpected-request": ["unexpected_request", "the server did not expect it at this point"],
};
