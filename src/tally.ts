/** What the parts tell as it happens, for whoever counts: src/metrics, or nobody. Nothing here can be chosen by a caller. */

import type { Code, Failure } from "./errors.ts";
import type { Jid } from "./jid.ts";

/** "login": of a session; "proof": of a password, beside a live session; "reconnect": after a lost connection. */
export type LoginKind = "login" | "proof" | "reconnect";

export interface LoginReport {
  readonly kind: LoginKind;
  readonly account: Jid;
  /** The SASL mechanism; undefined: it did not come so far. */
  readonly mechanism: string | undefined;
  /** Undefined: it succeeded. */
  readonly failure: Failure | undefined;
  /** From the name lookup on, without waiting for a turn. */
  readonly durationMs: number;
}

/** "remembered": a wrong password was answered from memory. */
export type ThrottleReason = "throttled" | "logins_paused" | "remembered";

/** None of these may throw. */
export interface Tally {
  /** A request has its answer; `code` is undefined where nothing failed. */
  answered(status: number, code: Code | undefined): void;
  /** The server's word that it took a message has come, so long after the message was written. */
  acknowledged(afterMs: number): void;
  /** The server's refusal of a message has come in time to be the answer. */
  bounced(condition: Code): void;
  /** A refusal has come for a message that was answered already. */
  bouncedLate(condition: Code): void;
  loggedIn(report: LoginReport): void;
  /** A connection went while somebody waited for an answer. */
  lost(code: Code): void;
  /** A lost connection is back; `resumed`: with the server's session. */
  recovered(resumed: boolean): void;
  /** A login was not tried. */
  throttled(reason: ThrottleReason): void;
}

/** How things stand, for whoever asks. */
export interface Census extends SessionCensus {
  /** Being served. */
  readonly requests: number;
}

export interface SessionCensus {
  /** Logging in for the first time, live with and without messages that owe an answer, and connecting again. */
  readonly sessions: {
    readonly connecting: number;
    readonly busy: number;
    readonly idle: number;
    readonly reconnecting: number;
  };
  /** Messages that owe an answer, and bytes that the servers have not acknowledged. */
  readonly messages: number;
  readonly bytes: number;
}

const ignore = () => {};

export const noTally: Tally = {
  answered: ignore,
  acknowledged: ignore,
  bounced: ignore,
  bouncedLate: ignore,
  loggedIn: ignore,
  lost: ignore,
  recovered: ignore,
  throttled: ignore,
};
