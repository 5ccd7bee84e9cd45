/** The closing line of a request in the log: what was answered, and what lies behind a failure. */

import type { Code, Outcome } from "./errors.ts";
import type { Log } from "./log.ts";

/** Absent members do not apply, or were not known by then. */
export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly code?: Code;
  readonly outcome?: Outcome;
  readonly senderDomain?: string;
  readonly cause?: unknown;
}

/** A fault of ours is an error, a failure on the way to the recipient a warning, a refused request merely told. */
export function logRequest(log: Log, { cause, durationMs, ...fields }: RequestLine): void {
  const line = { ...fields, ms: Math.round(durationMs), ...(cause === undefined ? {} : { err: cause }) };
  const sentence = fields.status < 400 ? "message sent" : "request answered";
  if (fields.status === 500) log.error(line, sentence);
  else if (fields.status > 500) log.warn(line, sentence);
  else log.info(line, sentence);
}
