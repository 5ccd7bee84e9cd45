/**
 * When a message is answered without an acknowledgement, and when a silent connection is given up before that. Both times
 * grow with the bytes on their way, so that a server that limits rates, as both big ones do by default, is not taken for
 * a dead one.
 */

import type { Ledger } from "../ledger.ts";
import type { Entry } from "./entry.ts";

/** ejabberd's default shaper lets 3,000 B/s of one large stanza pass, and 2,400 of small ones. */
const slowestServerBytesPerMs = 2;
/** After this part of the time for an acknowledgement, silence makes a connection suspect. */
const suspicion = 0.4;
const checkMs = 100;
const standstillMs = 1_000;

export class Deadlines {
  readonly #ackTimeoutMs: number;
  readonly #check: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #checkedMs = 0;
  #stoodStill = false;
  /** When the server last got further, or had nothing to do. */
  #progressMs = 0;

  /** `check` is called every 100 ms from the first deadline that is given until `stop`. */
  constructor(ackTimeoutMs: number, check: () => void) {
    this.#ackTimeoutMs = ackTimeoutMs;
    this.#check = check;
  }

  /** From now, for a message with which `bytesOnTheirWay` end. */
  give(entry: Entry, bytesOnTheirWay: number): void {
    entry.deadlineMs = performance.now() + this.#ackTimeoutMs + bytesOnTheirWay / slowestServerBytesPerMs;
    if (this.#timer !== undefined) return;
    this.#checkedMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), checkMs);
  }

  /** After a standstill of the process, what has come meanwhile is read before anything is called late. */
  #tick(): void {
    const nowMs = performance.now();
    // Not twice, so that a process that crawls checks too.
    this.#stoodStill = !this.#stoodStill && nowMs - this.#checkedMs > standstillMs;
    this.#checkedMs = nowMs;
    if (!this.#stoodStill) this.#check();
  }

  progressed(): void {
    this.#progressMs = performance.now();
  }

  /** Whether the server should have acknowledged something by now. */
  isSilent({ oldestWritten, writtenBytes }: Ledger<Entry>): boolean {
    if (oldestWritten === undefined) return false;
    // All of them: ejabberd takes in what has arrived, answers, and is then silent for as long as that would have taken.
    const patienceMs = this.#ackTimeoutMs * suspicion + writtenBytes / slowestServerBytesPerMs;
    return performance.now() - this.#progressMs > patienceMs;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
