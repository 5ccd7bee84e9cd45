/** The closing line of a request in the log: what was answered, and what lies behind a failure. */

import type { Failure } from "./errors.ts";
import { because, type Log, type LogFields } from "./log.ts";

/** Absent members do not apply, or were not known by then. */
export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly senderDomain?: string;
  readonly failure?: Failure;
}

/** A fault of ours is an error, a failure on the way to the recipient a warning, a refused request merely told. */
export function logRequest(log: Log, { failure, ...request }: RequestLine): void {
  const { requestId, method, status, senderDomain, durationMs } = request;
  const line = {
    // Under the name that a caller knows it by from a problem's members.
    request_id: requestId,
    method,
    status,
    ...(senderDomain === undefined ? {} : { domain: senderDomain }),
    ms: Math.round(durationMs),
    ...(failure === undefined ? {} : describe(failure)),
  };
  const sentence = failure === undefined ? "request served" : "request refused";
  if (status === 500) log.error(line, sentence);
  else if (status > 500) log.warn(line, sentence);
  else log.info(line, sentence);
}

/** An unforeseen fault with its stack; of what was foreseen, the words are enough. */
function describe(failure: Failure): LogFields {
  const { code, outcome, message: reason } = failure;
  if (code === "internal_error") return { code, outcome, err: failure.cause };
  return { code, outcome, reason, ...because(failure) };
}
