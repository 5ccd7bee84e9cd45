/** A message on its way through a session, and what bounds a session. */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { Bounce } from "../link.ts";

export interface SessionOptions {
  /** Milliseconds from the write to the acknowledgement, beside the time that the bytes themselves may take. */
  readonly ackTimeoutMs: number;
  /** Milliseconds for one attempt to connect again. */
  readonly loginTimeoutMs: number;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  /** Why the account may not be connected now. */
  pause(): Failure | undefined;
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
}

export interface Entry extends LedgerEntry {
  readonly stanza: string;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
  /** When it was written first. */
  writtenAt?: Date;
  /** It was written, and is known not to have been handled. */
  waitsAgain?: boolean;
}
