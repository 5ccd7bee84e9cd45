/** What a session tells of itself, to the log and to the tally. */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { because, type Log, type LogFields } from "../log.ts";
import type { Tally } from "../tally.ts";
import type { SessionOptions } from "./entry.ts";
import { createLateRefusalLog } from "./late-refusals.ts";

export function createReports(
  account: Jid,
  log: Log,
  tally: Tally,
): Pick<SessionOptions, "onAcknowledged" | "onBounced" | "onLateBounce" | "onLost" | "onRecovered"> {
  const logLate = createLateRefusalLog(log, account.domain);
  return {
    onAcknowledged: (afterMs) => tally.acknowledged(afterMs),
    onBounced: ({ code }) => tally.bounced(code),
    onLateBounce: (bounce) => {
      tally.bouncedLate(bounce.refusal(account.domain).code);
      logLate(bounce);
    },
    onLost: (reason) => {
      tally.lost(reason.code);
      log.warn({ ...nameOf(account), ...describe(reason) }, "connection lost with messages on their way");
    },
    onRecovered: (resumed) => {
      tally.recovered(resumed);
      log.info({ ...nameOf(account), resumed }, "connection is back");
    },
  };
}

export function reportEnd(account: Jid, reason: Failure, log: Log): void {
  log.info({ ...nameOf(account), ...describe(reason) }, "session ended");
}

function nameOf({ domain, bare }: Jid): LogFields {
  return { domain, from: bare };
}

function describe(failure: Failure): LogFields {
  return { code: failure.code, reason: failure.message, ...because(failure) };
}
