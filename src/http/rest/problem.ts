/**
 * A Failure as mod_rest's callers read it: problem+json that has mod_rest's members too. Where the two have a member of
 * one name, it is mod_rest's: `type` is "error", `code` is the status; our own code is in `error.extra`, as mod_rest has
 * what is beyond RFC 6120.
 */

import type { Code, Failure } from "../../errors.ts";
import { acceptedMediaTypes, stanzaMediaType } from "../parse.ts";
import { headersFor, type Status, statuses, titles } from "../problem.ts";
import type { RestProblem } from "../schema.ts";

type ErrorType = RestProblem["error"]["type"];
type Meaning = readonly [type: ErrorType, condition: string];

export const restMediaTypes = [...acceptedMediaTypes, stanzaMediaType] as const;

/** With credentials that are no good, mod_rest answers 403. */
const otherStatuses: Partial<Record<Code, Status>> = { credentials_unusable: 403, credentials_rejected: 403 };

/** mod_rest's own words for what it refuses by itself. */
const ownMeanings: Partial<Record<Code, Meaning>> = {
  credentials_missing: ["auth", "not-authorized"],
  credentials_unusable: ["auth", "not-authorized"],
  credentials_rejected: ["auth", "not-authorized"],
  foreign_sender: ["auth", "not-authorized"],
  kind_not_offered: ["modify", "unsupported-stanza-type"],
  bad_recipient: ["modify", "improper-addressing"],
  no_recipient: ["modify", "improper-addressing"],
  bad_xml: ["modify", "not-well-formed"],
  bad_json: ["modify", "not-well-formed"],
  bad_form: ["modify", "not-well-formed"],
  bad_text: ["modify", "not-well-formed"],
  // The XMPP side's, which have no status of their own (RFC 6120 section 8.3.3).
  ...conditions(
    "cancel",
    "gone recipient_unavailable service_unavailable feature_not_implemented remote_server_not_found",
  ),
  ...conditions("auth", "forbidden payment_required registration_required subscription_required"),
  ...conditions("modify", "jid_malformed not_acceptable policy_violation redirect unexpected_request"),
  ...conditions("cancel", "not_authorized undefined_condition"),
};

/** By status, for all the others. */
const meanings: Record<Status, Meaning> = {
  400: ["modify", "bad-request"],
  401: ["auth", "not-authorized"],
  403: ["auth", "forbidden"],
  404: ["cancel", "item-not-found"],
  405: ["cancel", "not-allowed"],
  408: ["wait", "bad-request"],
  409: ["cancel", "conflict"],
  413: ["modify", "resource-constraint"],
  415: ["cancel", "bad-format"],
  422: ["modify", "bad-request"],
  429: ["wait", "resource-constraint"],
  500: ["cancel", "internal-server-error"],
  502: ["cancel", "internal-server-error"],
  503: ["wait", "resource-constraint"],
  504: ["wait", "remote-server-timeout"],
};

export function writeRestProblem(failure: Failure, requestId: string): Response {
  const status = statusOf(failure.code);
  return new Response(JSON.stringify(toRestProblem(failure, requestId)), {
    status,
    headers: { ...headersFor(status, failure, restMediaTypes), "Content-Type": "application/problem+json" },
  });
}

function statusOf(code: Code): Status {
  return otherStatuses[code] ?? statuses[code];
}

export function toRestProblem(failure: Failure, requestId: string): RestProblem {
  const { code, message: detail, outcome, pointer } = failure;
  const status = statusOf(code);
  const [type, condition] = ownMeanings[code] ?? meanings[status];
  return {
    type: "error",
    title: titles[status],
    status,
    detail,
    code: status,
    error: { type, condition, text: detail, extra: { code } },
    outcome,
    request_id: requestId,
    ...(pointer === undefined ? {} : { pointer }),
  };
}

function conditions(type: ErrorType, codes: string): Partial<Record<string, Meaning>> {
  return Object.fromEntries(codes.split(" ").map((code) => [code, [type, code.replaceAll("_", "-")] as const]));
}
