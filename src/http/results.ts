/**
 * The answer to a message for several recipients. All accepted: 201 (under /rest, 202). All refused alike: that status,
 * as a problem. Else 207, which is not a success: each result has to be read.
 */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Receipt } from "../message.ts";
import type { Copy, Times } from "../request-log.ts";
import { describeApplied, type Preferences } from "./prefer.ts";
import { statuses, writeProblem } from "./problem.ts";
import type { Result } from "./schema.ts";

/** What became of the message to one of them. `jid`: undefined where what was named is none. */
export type Outcome =
  | { readonly to: string; readonly jid: Jid; readonly times: Times; readonly receipt: Receipt }
  | {
      readonly to: string;
      readonly jid?: Jid;
      readonly times?: Times;
      readonly id?: string;
      readonly failure: Failure;
    };

/** `taken`: the status of what was accepted. */
export function writeResults(
  outcomes: readonly Outcome[],
  preferences: Preferences,
  requestId: string,
  taken: 201 | 202,
): Response {
  const results = outcomes.map((outcome) => describe(outcome, taken));
  const applied = describeApplied(preferences);
  const headers: Record<string, string> = applied === undefined ? {} : { "Preference-Applied": applied };
  const failures = findFailures(outcomes);
  const [first] = failures;
  if (first === undefined) {
    if (preferences.minimal) return new Response(null, { status: taken, headers });
    return Response.json({ results }, { status: taken, headers });
  }
  const alike = failures.every(({ code }) => statuses[code] === statuses[first.code]);
  if (failures.length === outcomes.length && alike) return writeProblem(gravest(failures), requestId, results);
  return Response.json({ results }, { status: 207, headers });
}

/** For the log, which has a line for each. */
export function listCopies(outcomes: readonly Outcome[], taken: 201 | 202): readonly Copy[] {
  return outcomes.map((outcome) => {
    const { jid: recipient, times = {} } = outcome;
    if (!("failure" in outcome)) {
      return { recipient, times, status: taken, messageId: outcome.receipt.id, failure: undefined };
    }
    const { id: messageId, failure } = outcome;
    return { recipient, times, status: statuses[failure.code], messageId, failure };
  });
}

export function findFailures(outcomes: readonly Outcome[]): readonly Failure[] {
  return outcomes.flatMap((outcome) => ("failure" in outcome ? [outcome.failure] : []));
}

/** What must not be overlooked: a fault of ours, then a message that may have been sent, then the longest wait. */
export function gravest(failures: readonly Failure[]): Failure {
  const weight = ({ code, outcome, retryAfterSeconds = 0 }: Failure) =>
    code === "internal_error" ? 1e9 : outcome === "unknown" ? 1e8 : retryAfterSeconds;
  return failures.reduce((one, other) => (weight(other) > weight(one) ? other : one));
}

function describe(outcome: Outcome, taken: 201 | 202): Result {
  const { to } = outcome;
  if ("failure" in outcome) {
    const { code, message: detail, outcome: sent } = outcome.failure;
    return {
      to,
      status: statuses[code],
      ...(outcome.id === undefined ? {} : { id: outcome.id }),
      code,
      detail,
      outcome: sent,
    };
  }
  const { id, type, status: receipt } = outcome.receipt;
  return { to, status: taken, id, type, ...(receipt === undefined ? {} : { receipt }) };
}
