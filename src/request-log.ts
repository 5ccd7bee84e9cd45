/**
 * The closing line of a request in the log: what was answered, how long it took, and what lies behind a failure; and, before
 * it, a line for each of several recipients.
 */

import type { Code, Failure } from "./errors.ts";
import type { Jid } from "./jid.ts";
import { because, type Log, type LogFields } from "./log.ts";

/** Where the time of a request went, in milliseconds; each is there as soon as it is known. */
export interface Times {
  /** Until the sender had a session: nothing where one was there. */
  loginMs?: number;
  /** From then until the message was written. */
  sendMs?: number;
  /** From then until the server's word on it. */
  ackMs?: number;
}

/** What became of the message to one of several recipients. */
export interface Copy {
  readonly recipient: Jid | undefined;
  readonly messageId: string | undefined;
  /** As in the answer's result. */
  readonly status: number;
  readonly times: Times;
  readonly failure: Failure | undefined;
}

/** Undefined members do not apply, or were not known by then. */
export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly sender?: Jid | undefined;
  readonly recipient?: Jid | undefined;
  /** The stanza's. */
  readonly messageId?: string | undefined;
  readonly copies?: readonly Copy[] | undefined;
  /** As far as throttles tell callers apart. */
  readonly client?: string | undefined;
  readonly times: Times;
  /** The caller did not wait for the answer. Found out when it is asked, which costs. */
  readonly hungUp: boolean;
  readonly failure?: Failure | undefined;
}

/** The caller is to blame, whose address is logged, so that whoever guesses can be kept out. */
const callersFaults: ReadonlySet<Code> = new Set<Code>([
  "credentials_missing",
  "credentials_unusable",
  "credentials_rejected",
  "host_not_allowed",
  "throttled",
  "logins_paused",
]);

/** A fault of ours is an error, a failure on the way to the recipient a warning, a refused request merely told. */
export function logRequest(log: Log, request: RequestLine): void {
  const { requestId, sender, copies = [] } = request;
  for (const copy of copies) {
    // What is wrong with the caller is told once.
    if (copy.failure === undefined || !callersFaults.has(copy.failure.code))
      write(log, "message", { requestId, sender, ...copy });
  }
  // What is wrong with some of the recipients has been told with them.
  write(log, "request", request.status === 207 ? { ...request, failure: undefined } : request);
}

/** What a line may have: of a request, all; of a copy, what is its own. */
type Line = Pick<RequestLine, "requestId" | "status" | "times"> & Partial<RequestLine>;

function write(log: Log, what: "request" | "message", line: Line): void {
  const { status, failure } = line;
  const sentence = `${what} ${ending(what, line)}`;
  const fields = () => describe(line);
  if (status === 500 || failure?.code === "internal_error") log.error(fields, sentence);
  else if (status > 500) log.warn(fields, sentence);
  else log.info(fields, sentence);
}

function ending(what: "request" | "message", { status, failure }: Line): string {
  if (status === 207) return "served in part";
  if (failure === undefined) return what === "request" ? "served" : "sent";
  return status < 500 ? "refused" : "failed";
}

/** In this order, on which packaging/fail2ban/filter.d/post-msg.conf relies as far as `client`. */
function describe(request: Line): LogFields {
  const { requestId, method, status, durationMs, sender, recipient, messageId, copies, client, times, failure } =
    request;
  // Under the name that a caller knows it by from a problem's members.
  const line: Record<string, unknown> = { request_id: requestId };
  if (method !== undefined) line["method"] = method;
  line["status"] = status;
  if (failure !== undefined) {
    line["code"] = failure.code;
    line["outcome"] = failure.outcome;
    if (client !== undefined && callersFaults.has(failure.code)) line["client"] = client;
  } else if (status !== 207 && (messageId ?? copies) !== undefined) line["outcome"] = "sent";
  // Of another domain than ours: who swaps user and password has a password here.
  if (sender !== undefined && failure?.code !== "host_not_allowed") line["domain"] = sender.domain;
  if (sender !== undefined) line["from"] = sender.bare;
  if (recipient !== undefined) line["to"] = recipient.bare;
  if (messageId !== undefined) line["id"] = messageId;
  if (copies !== undefined) line["recipients"] = copies.length;
  if (durationMs !== undefined) line["ms"] = toTenths(durationMs);
  if (times.loginMs !== undefined) line["login_ms"] = toTenths(times.loginMs);
  if (times.sendMs !== undefined) line["send_ms"] = toTenths(times.sendMs);
  if (times.ackMs !== undefined) line["ack_ms"] = toTenths(times.ackMs);
  if (request.hungUp) line["hung_up"] = true;
  return failure === undefined ? line : { ...line, ...explain(failure) };
}

/** An unforeseen fault with its stack; of what was foreseen, the words are enough, unless they are the caller's own. */
function explain(failure: Failure): LogFields {
  if (failure.code === "internal_error") return { err: failure.cause };
  if (failure.code === "host_not_allowed") return { reason: "There is no section [hosts] of this user's domain." };
  return failure.quotesCaller ? {} : { reason: failure.message, ...because(failure) };
}

function toTenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
