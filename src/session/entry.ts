/** A message on its way through a session, and what bounds a session. */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { Bounce } from "../link.ts";
import type { Times } from "../request-log.ts";

export interface SessionOptions {
  /** Milliseconds from the write to the acknowledgement, beside the time that the bytes themselves may take. */
  readonly ackTimeoutMs: number;
  /** Milliseconds for one attempt to connect again. */
  readonly loginTimeoutMs: number;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  /** Why the account may not be connected now. */
  pause(): Failure | undefined;
  /** The server has taken a message, so long after it was written. */
  onAcknowledged?(afterMs: number): void;
  /** The server's refusal is a message's answer. */
  onBounced?(refusal: Failure): void;
  /** A refusal for a message that was answered already, or for none of ours. */
  onLateBounce(bounce: Bounce): void;
  /** The connection is gone and somebody waits for an answer. */
  onLost(reason: Failure): void;
  onRecovered(resumed: boolean): void;
}

/** One message for the wire. */
export interface Outgoing {
  readonly id: string;
  readonly to: Jid;
  readonly stanza: string;
  /** Written to as the message gets on. */
  readonly times?: Times;
}

export interface Entry extends LedgerEntry {
  readonly stanza: string;
  readonly times: Times;
  /** On the clock of performance.now(), as are the next. */
  readonly acceptedMs: number;
  /** When it was written first. */
  writtenMs?: number;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
  /** The same as a date. */
  writtenAt?: Date;
  /** It was written, and is known not to have been handled. */
  waitsAgain?: boolean;
}
