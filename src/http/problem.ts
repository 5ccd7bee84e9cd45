/** Which HTTP status a code has, and how a Failure is written as problem+json (RFC 9457). */

import type { Code, Failure } from "../errors.ts";
import { acceptedMediaTypes } from "./parse.ts";
import type { Problem, Result } from "./schema.ts";

/** RFC 9457 section 4.2.1: with `about:blank`, the title is the status's own phrase; `code` tells the cases apart. */
export const titles = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
} as const;
export type Status = keyof typeof titles;

/** A code without a status does not compile. The outcome is "unknown" for 504s only, and not for all of them. */
export const statuses: Record<Code, Status> = {
  no_such_path: 404,
  method_not_allowed: 405,
  duplicate_header: 400,
  bad_host: 400,
  bad_path: 400,
  bad_json: 400,
  bad_form: 400,
  bad_text: 400,
  bad_xml: 400,
  malformed_html: 400,
  cross_site: 403,
  credentials_missing: 401,
  credentials_unusable: 401,
  credentials_rejected: 401,
  host_not_allowed: 403,
  throttled: 429,
  logins_paused: 429,
  recipient_not_allowed: 403,
  body_too_large: 413,
  upload_too_slow: 408,
  stanza_too_large: 413,
  stanza_complaint: 422,
  unsupported_media_type: 415,
  unsupported_content_encoding: 415,
  no_recipient: 422,
  bad_recipient: 422,
  too_many_recipients: 422,
  recipient_conflict: 422,
  unknown_field: 422,
  bad_field: 422,
  bad_type: 422,
  kind_not_offered: 422,
  bad_stanza: 422,
  foreign_sender: 403,
  forbidden_character: 422,
  empty_message: 422,

  internal_error: 500,
  overloaded: 503,
  shutting_down: 503,
  withdrawn: 503,

  name_not_found: 503,
  name_lookup_failed: 503,
  server_unreachable: 503,
  login_timeout: 503,
  tls_not_offered: 502,
  tls_failed: 502,
  tls_injection: 502,
  certificate_expired: 502,
  certificate_not_yet_valid: 502,
  certificate_name_mismatch: 502,
  certificate_self_signed: 502,
  certificate_untrusted: 502,
  no_common_mechanism: 502,
  server_not_proven: 502,
  host_unknown: 502,
  protocol_error: 502,
  stream_closed: 503,
  server_busy: 503,
  server_shutdown: 503,
  server_policy: 503,
  session_replaced: 503,
  login_expired: 503,
  login_failed: 502,
  login_temporarily_failed: 503,
  password_needed: 503,

  bad_request: 422,
  conflict: 409,
  feature_not_implemented: 502,
  forbidden: 403,
  gone: 404,
  internal_server_error: 502,
  item_not_found: 404,
  jid_malformed: 422,
  not_acceptable: 422,
  not_allowed: 403,
  not_authorized: 502,
  payment_required: 403,
  policy_violation: 403,
  recipient_unavailable: 404,
  redirect: 502,
  registration_required: 403,
  remote_server_not_found: 502,
  remote_server_timeout: 504,
  resource_constraint: 503,
  service_unavailable: 404,
  subscription_required: 403,
  undefined_condition: 502,
  unexpected_request: 502,
  temporarily_refused: 503,

  no_such_room: 404,
  room_full: 503,
  room_password_needed: 403,
  expelled: 403,

  room_silent: 504,
  ack_timeout: 504,
  connection_lost: 504,
  shutdown_unacknowledged: 504,
};

const defaultRetryAfterSeconds = 5;

/** `results`: of several recipients, all refused like this. */
export function writeProblem(failure: Failure, requestId: string, results?: readonly Result[]): Response {
  const status = statuses[failure.code];
  const problem = toProblem(failure, requestId);
  return new Response(JSON.stringify(results === undefined ? problem : { ...problem, results }), {
    status,
    headers: { ...headersFor(status, failure, acceptedMediaTypes), "Content-Type": "application/problem+json" },
  });
}

export function toProblem(failure: Failure, requestId: string): Problem {
  const { code, message: detail, outcome, pointer } = failure;
  const status = statuses[code];
  return {
    type: "about:blank",
    title: titles[status],
    status,
    detail,
    code,
    outcome,
    request_id: requestId,
    ...(pointer === undefined ? {} : { pointer }),
  };
}

/** What a status owes by RFC 9110, and 415 by the draft of Linked Data Platform's Accept-Post too. */
export function headersFor(status: Status, failure: Failure, accepted: readonly string[]): Record<string, string> {
  switch (status) {
    case 401:
      return { "WWW-Authenticate": 'Basic realm="post-msg", charset="UTF-8"' };
    case 405:
      return { Allow: failure.allow ?? "POST, OPTIONS" };
    case 408:
      return { Connection: "close" };
    case 413:
      // What is left of it is not read.
      return failure.code === "body_too_large" ? { Connection: "close" } : {};
    case 415: {
      const encoding = failure.code === "unsupported_content_encoding" ? { "Accept-Encoding": "identity" } : {};
      return { "Accept-Post": accepted.join(", "), ...encoding };
    }
    case 429:
    case 503:
      return { "Retry-After": String(failure.retryAfterSeconds ?? defaultRetryAfterSeconds) };
    default:
      return {};
  }
}
