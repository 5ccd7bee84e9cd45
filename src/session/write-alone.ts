/**
 * What is written alone. A suspect (the server has ended a stream over it) is alone until it is settled. What the server
 * may find too large is alone until it is acknowledged: a complaint then cannot be about another message, and what waits
 * behind it is not lost where the server forgets the session with its stream.
 */

import type { Ledger } from "../ledger.ts";
import type { Entry } from "./entry.ts";
import { alwaysTakenBytes } from "./recovery.ts";

/** How many messages may go into the next write. `limit`: what the server takes in one stanza, if it has told. */
export function countWritable(ledger: Ledger<Entry>, suspect: Entry | undefined, limit: number | undefined): number {
  if (suspect !== undefined) return suspect.writtenAt === undefined || suspect.waitsAgain ? 1 : 0;
  if (limit !== undefined) return Number.POSITIVE_INFINITY;
  const { oldestWritten, firstWaiting } = ledger;
  if (oldestWritten !== undefined && (isLarge(oldestWritten) || isLarge(firstWaiting))) return 0;
  if (isLarge(firstWaiting)) return 1;
  const untilLarge = ledger.waiting.findIndex(isLarge);
  return untilLarge === -1 ? Number.POSITIVE_INFINITY : untilLarge;
}

/** An acknowledgement may let the next ones go. */
export function isHeldUp({ oldestWritten, firstWaiting }: Ledger<Entry>): boolean {
  return isLarge(oldestWritten) || isLarge(firstWaiting);
}

function isLarge(entry: Entry | undefined): boolean {
  return entry !== undefined && entry.bytes > alwaysTakenBytes;
}
