/**
 * The one error class, and the closed list of what can go wrong.
 *
 * A `Failure` speaks to two audiences: `detail` is a sentence for the caller and never holds a secret or the XMPP
 * server's own words; `cause` is for the log. Which HTTP status a code has stands in src/http/problem.ts; which XMPP,
 * TLS or DNS event has which code stands in src/xmpp.
 */

/** Whether the message may have been sent: "unknown" only when bytes left and no verdict came. */
export type Outcome = "not_sent" | "unknown";

interface CodeTraits {
  /** The same request may succeed later without anybody changing anything. */
  readonly temporary: boolean;
  readonly outcome: Outcome;
  /** The sentence may hold the caller's own words, such as a piece of the message: it is for the caller alone. */
  readonly quotesCaller: boolean;
}

const permanent: CodeTraits = { temporary: false, outcome: "not_sent", quotesCaller: false };
const quoting: CodeTraits = { ...permanent, quotesCaller: true };
const temporary: CodeTraits = { temporary: true, outcome: "not_sent", quotesCaller: false };
const unknown: CodeTraits = { temporary: true, outcome: "unknown", quotesCaller: false };

const traits = {
  // The request
  no_such_path: quoting,
  method_not_allowed: quoting,
  duplicate_header: quoting,
  bad_host: quoting,
  bad_path: quoting,
  bad_json: quoting,
  bad_form: quoting,
  bad_text: quoting,
  bad_xml: quoting,
  malformed_html: quoting,
  cross_site: permanent,
  credentials_missing: permanent,
  credentials_unusable: quoting,
  credentials_rejected: permanent,
  host_not_allowed: quoting,
  throttled: temporary,
  logins_paused: temporary,
  recipient_not_allowed: permanent,
  body_too_large: permanent,
  upload_too_slow: permanent,
  stanza_too_large: permanent,
  stanza_complaint: permanent,
  unsupported_media_type: quoting,
  unsupported_content_encoding: quoting,
  no_recipient: permanent,
  bad_recipient: quoting,
  too_many_recipients: permanent,
  recipient_conflict: quoting,
  unknown_field: quoting,
  bad_field: quoting,
  bad_type: quoting,
  kind_not_offered: quoting,
  bad_stanza: quoting,
  foreign_sender: quoting,
  forbidden_character: quoting,
  empty_message: permanent,

  // Ourselves
  internal_error: permanent,
  overloaded: temporary,
  shutting_down: temporary,
  withdrawn: temporary,

  // The way to the XMPP server
  name_not_found: temporary,
  name_lookup_failed: temporary,
  server_unreachable: temporary,
  login_timeout: temporary,
  tls_not_offered: permanent,
  tls_failed: permanent,
  tls_injection: permanent,
  certificate_expired: permanent,
  certificate_not_yet_valid: permanent,
  certificate_name_mismatch: permanent,
  certificate_self_signed: permanent,
  certificate_untrusted: permanent,
  no_common_mechanism: permanent,
  server_not_proven: permanent,
  host_unknown: permanent,
  protocol_error: permanent,
  stream_closed: temporary,
  server_busy: temporary,
  server_shutdown: temporary,
  server_policy: temporary,
  session_replaced: temporary,
  login_expired: temporary,
  login_failed: permanent,
  login_temporarily_failed: temporary,
  /** Kept SCRAM keys no longer fit the server's: the next login has to be made with the password. */
  password_needed: temporary,

  // The server's word on one message: the conditions of RFC 6120 section 8.3.3, and of RFC 3920 before it
  bad_request: permanent,
  conflict: permanent,
  feature_not_implemented: permanent,
  forbidden: permanent,
  gone: permanent,
  internal_server_error: permanent,
  item_not_found: permanent,
  jid_malformed: permanent,
  not_acceptable: permanent,
  not_allowed: permanent,
  not_authorized: permanent,
  payment_required: permanent,
  policy_violation: permanent,
  recipient_unavailable: permanent,
  redirect: permanent,
  registration_required: permanent,
  remote_server_not_found: permanent,
  remote_server_timeout: temporary,
  resource_constraint: temporary,
  service_unavailable: permanent,
  subscription_required: permanent,
  undefined_condition: permanent,
  unexpected_request: permanent,
  /** Any of those that would be a 502, when the server says `type="wait"`. */
  temporarily_refused: temporary,

  // The room's word, or its silence (XEP-0045)
  no_such_room: permanent,
  room_full: temporary,
  room_password_needed: permanent,
  expelled: permanent,

  // No word
  room_silent: unknown,
  ack_timeout: unknown,
  connection_lost: unknown,
  shutdown_unacknowledged: unknown,
} as const satisfies Record<string, CodeTraits>;

/** Stable, snake_case, part of the HTTP contract. */
export type Code = keyof typeof traits;

export const codes = Object.keys(traits) as readonly Code[];

export interface FailureOptions {
  /** For the log only. */
  readonly cause?: unknown;
  /** When the caller should come back, in seconds, where that is known better than the default for the status. */
  readonly retryAfterSeconds?: number;
  /** The methods that there are, where they are not those of messages. */
  readonly allow?: string;
  /** The part of the request's document that is meant, as a JSON pointer (RFC 6901). */
  readonly pointer?: string;
}

export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: Code;
  readonly retryAfterSeconds: number | undefined;
  readonly allow: string | undefined;
  readonly pointer: string | undefined;

  /** `detail`: what could not be done, with which quoted value, in what state, and what was needed. */
  constructor(code: Code, detail: string, options: FailureOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.allow = options.allow;
    this.pointer = options.pointer;
  }

  get temporary(): boolean {
    return traits[this.code].temporary;
  }

  get outcome(): Outcome {
    return traits[this.code].outcome;
  }

  /** The sentence is for the caller alone, and not for the log. */
  get quotesCaller(): boolean {
    return traits[this.code].quotesCaller;
  }
}

/** What was thrown, as a Failure: an unforeseen error becomes `internal_error` with a fixed sentence. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("internal_error", "The request could not be served because of a fault in post-msg.", {
    cause: error,
  });
}
