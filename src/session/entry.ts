/** A message on its way through a session, and what bounds a session. */

import type { HangUp } from "../caller.ts";
import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { LedgerEntry } from "../ledger.ts";
import type { Bounce } from "../link.ts";
import type { Times } from "../request-log.ts";
import type { ConferenceServices } from "./conference-services.ts";
import type { Stay } from "./stay.ts";

export interface SessionOptions {
  /** Milliseconds from the write to the acknowledgement, beside the time that the bytes themselves may take. */
  readonly ackTimeoutMs: number;
  /** Milliseconds for one attempt to connect again. */
  readonly loginTimeoutMs: number;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  /** Which domains have rooms, as far as that is known. */
  readonly services: ConferenceServices;
  /** A room that was silent for so many milliseconds is asked whether we are still in it; default 600,000. */
  readonly roomQuietMs?: number | undefined;
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
  /** For a room, or for somebody in one: how it is entered first. */
  readonly room?: RoomWish;
}

/** How a room is entered. */
export interface RoomWish {
  readonly nick: string;
  readonly password: string | undefined;
  /** Makes the room if there is none. */
  readonly create: boolean;
}

export interface Entry extends LedgerEntry {
  readonly stanza: string;
  readonly times: Times;
  /** On the clock of performance.now(), as are the next. */
  readonly acceptedMs: number;
  /** When it was written first. */
  writtenMs?: number;
  /** It can only be sent from within this room, in this stay of ours. */
  readonly stay?: Stay;
  /** Answered by the room's own copy of it, not by the acknowledgement. */
  readonly needsCopy?: boolean;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
  readonly hangUp: HangUp;
  /** The same as a date. */
  writtenAt?: Date;
  /** It was written, and is known not to have been handled. */
  waitsAgain?: boolean;
}
