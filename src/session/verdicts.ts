/**
 * What the server says of the messages in a ledger, or does not say, as the answers that their callers get. A message to a
 * room is not answered by the acknowledgement but by the room's own copy of it (XEP-0045 section 7.4), for which there is
 * the time of an acknowledgement again.
 */

import type { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import type { Ledger } from "../ledger.ts";
import type { Bounce, RoomMessage } from "../link.ts";
import * as answers from "./answers.ts";
import type { Entry, SessionOptions } from "./entry.ts";

type VerdictOptions = Pick<SessionOptions, "ackTimeoutMs" | "onAcknowledged" | "onBounced">;

export class Verdicts {
  readonly #account: Jid;
  readonly #ledger: Ledger<Entry>;
  readonly #options: VerdictOptions;
  readonly #onSettled: () => void;
  /** Taken by the server, and how long the room's copy may take. */
  readonly #uncopied = new Map<Entry, number>();

  /** `onSettled`: called after something was answered here, as it may be. */
  constructor(account: Jid, ledger: Ledger<Entry>, options: VerdictOptions, onSettled: () => void) {
    this.#account = account;
    this.#ledger = ledger;
    this.#options = options;
    this.#onSettled = onSettled;
  }

  /** Answers what is decided now, and what will be when nothing more has come for the grace time. */
  conclude(graceMs: number): void {
    if (graceMs === 0) return this.accept(this.#ledger.takeAcknowledged());
    const echoed = this.#ledger.takeEchoed();
    if (echoed.length > 0) setTimeout(() => this.accept(echoed), graceMs);
  }

  /** The server has taken them, and has had the time to refuse. */
  accept(entries: readonly Entry[]): void {
    const nowMs = performance.now();
    for (const entry of entries) {
      if (entry.needsCopy) this.#awaitCopy(entry);
      else if (this.#ledger.settle(entry)) this.#taken(entry, nowMs);
    }
    this.#onSettled();
  }

  #awaitCopy(entry: Entry): void {
    if (this.#ledger.isOpen(entry) && !this.#uncopied.has(entry)) {
      this.#uncopied.set(entry, performance.now() + this.#options.ackTimeoutMs);
    }
  }

  /** False: it is for no message that still owes an answer. */
  bounced(bounce: Bounce): boolean {
    // A caller may use an id again: what the server has not had yet, it cannot refuse.
    if (!isOnItsWay(this.#ledger.find(bounce.id))) return false;
    const entry = this.#ledger.bounce(bounce.id, bounce.from, this.#account.domain);
    if (entry === undefined) return false;
    this.#uncopied.delete(entry);
    const refusal = bounce.refusal(entry.to.full);
    entry.times.ackMs = performance.now() - (entry.writtenMs ?? entry.acceptedMs);
    this.#options.onBounced?.(refusal);
    entry.reject(refusal);
    this.#onSettled();
    return true;
  }

  /** Of everything that is said in rooms. An id alone could be anybody's: it has to come from us. */
  saidInRoom({ id, from }: RoomMessage): void {
    const entry = id === undefined ? undefined : this.#ledger.find(id);
    if (!entry?.needsCopy || !isOnItsWay(entry)) return;
    const occupant = parseJid(from);
    if ("problem" in occupant || !entry.stay?.isUs(occupant.jid) || !this.#ledger.settle(entry)) return;
    this.#uncopied.delete(entry);
    this.#taken(entry, performance.now());
    this.#onSettled();
  }

  /** Nobody will ever tell what became of the ones that were written. */
  loseWritten(reason: Failure): void {
    const { written, acknowledged } = this.#ledger.giveUpWritten();
    for (const entry of acknowledged) this.#answerTaken(entry, reason);
    for (const { reject, to } of written) reject(answers.connectionLost(this.#account, to, reason));
  }

  /** The rooms have put out the session that they would have sent their copies to. */
  loseCopies(reason: Failure): void {
    for (const entry of this.#uncopied.keys()) {
      if (this.#ledger.settle(entry)) entry.reject(answers.uncopied(entry.to, reason));
    }
    this.#uncopied.clear();
  }

  /** Nothing is on the way any more. */
  end(reason: Failure): void {
    this.loseWritten(reason);
    this.loseCopies(reason);
    const { waiting, acknowledged } = this.#ledger.giveUp();
    for (const entry of acknowledged) this.#answerTaken(entry, reason);
    for (const { reject } of waiting) reject(answers.closed(this.#account, reason));
  }

  /** Answers whatever is still open, for the end of a shutdown. */
  giveUp(): void {
    this.#uncopied.clear();
    const { written, waiting, acknowledged } = this.#ledger.giveUp();
    for (const entry of acknowledged) {
      if (entry.needsCopy) entry.reject(answers.stoppedUnacknowledged(entry.to));
      else this.#taken(entry, performance.now());
    }
    for (const { reject, to } of written) reject(answers.stoppedUnacknowledged(to));
    for (const { reject, to } of waiting) reject(answers.stoppedUnsent(to));
  }

  /**
   * Answers what is past its deadline, and returns how many of these the server had not acknowledged. `away`: why there is
   * no connection.
   */
  expire(nowMs: number, away: Failure | undefined): number {
    const { waiting, written, acknowledged } = this.#ledger.overdue(nowMs);
    for (const entry of waiting) {
      if (away === undefined) this.withdraw(entry, "the connection took no more data in time");
      else if (this.#ledger.withdraw(entry)) entry.reject(answers.stillAway(entry.to, away));
    }
    // The echo is missing, but the server has taken responsibility and has not refused.
    this.accept(acknowledged);
    for (const entry of written) {
      if (this.#ledger.settle(entry)) entry.reject(answers.unacknowledged(this.#account, entry.to));
    }
    for (const [entry, untilMs] of this.#uncopied) {
      if (untilMs > nowMs) continue;
      this.#uncopied.delete(entry);
      if (this.#ledger.settle(entry)) entry.reject(answers.uncopied(entry.to));
    }
    return written.length;
  }

  /** Unless it has been written. */
  withdraw(entry: Entry, why: string): void {
    if (!this.#ledger.withdraw(entry)) return;
    entry.reject(answers.withdrawn(entry.to, why));
    this.#onSettled();
  }

  #answerTaken(entry: Entry, reason: Failure): void {
    this.#uncopied.delete(entry);
    if (entry.needsCopy) entry.reject(answers.uncopied(entry.to, reason));
    else this.#taken(entry, performance.now());
  }

  #taken(entry: Entry, nowMs: number): void {
    const ackMs = nowMs - (entry.writtenMs ?? nowMs);
    entry.times.ackMs = ackMs;
    this.#options.onAcknowledged?.(ackMs);
    entry.resolve();
  }
}

/** Written, and not known to have been lost with its connection. */
function isOnItsWay(entry: Entry | undefined): boolean {
  return entry?.writtenAt !== undefined && entry.waitsAgain !== true;
}
