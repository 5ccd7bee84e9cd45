/** What a connection that has come back means for the messages that were on their way on the lost one. */

import type { Failure } from "../errors.ts";
import type { Ledger } from "../ledger.ts";
import type { Reconnection } from "../link.ts";
import * as answers from "./answers.ts";
import type { Entry } from "./entry.ts";
import { canRecover } from "./recovery.ts";
import type { Rooms } from "./rooms.ts";
import type { Suspicion } from "./suspicion.ts";
import type { Verdicts } from "./verdicts.ts";

export interface OnTheirWay {
  readonly ledger: Ledger<Entry>;
  readonly verdicts: Verdicts;
  readonly suspicion: Suspicion;
  readonly rooms: Rooms;
}

/**
 * What the server had handled is settled; what it had not waits again, in order and before all else. `reason`: why the
 * connection was lost. False: what would be sent again could not be sent on this connection either.
 */
export function takeUp(onTheirWay: OnTheirWay, { resumed, handled }: Reconnection, reason: Failure): boolean {
  const { ledger, verdicts, suspicion } = onTheirWay;
  if (handled !== undefined) ledger.acknowledge(handled);
  else if (!resumed && !suspicion.isAloneTo(reason)) verdicts.loseWritten(reason);
  // A new session on the server has nothing more to say about what the old one took.
  if (!resumed) verdicts.accept(ledger.takeAcknowledged());
  for (const entry of ledger.rewind()) entry.waitsAgain = true;
  const again = suspicion.firstAgain;
  if (again !== undefined && !canRecover(reason, again.bytes)) return false;
  suspicion.fallOn(reason, resumed);
  if (!resumed) leaveBehind(onTheirWay, reason);
  return true;
}

/** A new session on the server is in no room: what was to be said in one has to wait until it is. */
function leaveBehind({ ledger, verdicts, rooms }: OnTheirWay, reason: Failure): void {
  rooms.forget();
  verdicts.loseCopies(reason);
  for (const entry of ledger.waiting.filter(({ stay }) => stay !== undefined)) {
    if (ledger.withdraw(entry)) entry.reject(answers.leftBehind(entry.to, reason));
  }
}
