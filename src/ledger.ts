/**
 * Every message that a session has taken and that still owes an answer: waiting, then written, then acknowledged, then
 * settled, in the order in which they came, over as many connections as it takes. Pure: it moves entries and tells which
 * are settled; the session writes, and answers the callers.
 *
 * An acknowledged entry is not settled yet where a server acknowledges first and refuses a moment later: there the echo
 * has to come too, the reply to a ping that was sent behind the message.
 */

import type { Jid } from "./jid.ts";

export interface LedgerEntry {
  readonly id: string;
  readonly to: Jid;
  readonly bytes: number;
  /** When its caller is answered without an acknowledgement, on the clock of performance.now(). */
  deadlineMs: number;
}

/** Entries by how far they got. */
export interface Stages<Entry> {
  readonly waiting: readonly Entry[];
  readonly written: readonly Entry[];
  readonly acknowledged: readonly Entry[];
}

/**
 * Whether a refusal counts for a message. Its id alone could be anybody's: the sender has to be the recipient, the
 * recipient's account or domain, or our own server (`from` absent, or `ownDomain`).
 */
export function mayRefuse(from: Jid | undefined, to: Jid, ownDomain: string): boolean {
  return from === undefined || [to.full, to.bare, to.domain, ownDomain].includes(from.full);
}

export class Ledger<Entry extends LedgerEntry> {
  // A settled entry stays in its stage, since the server counts it too; `#open` tells whether it still owes an answer.
  #waiting: Entry[] = [];
  #written: Entry[] = [];
  #acknowledged: Entry[] = [];
  /** How many of the acknowledged and then the written, from the oldest on, the echo has come for. */
  #echoed = 0;
  readonly #open = new Map<string, Entry>();
  #bytes = 0;
  #waitingBytes = 0;

  /** Messages that still owe an answer. */
  get size(): number {
    return this.#open.size;
  }

  /** Bytes that the server has not acknowledged, written or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that were written and that the server has not acknowledged. */
  get writtenBytes(): number {
    return this.#bytes - this.#waitingBytes;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** The entry with this id that still owes an answer. */
  find(id: string): Entry | undefined {
    return this.#open.get(id);
  }

  isOpen(entry: Entry): boolean {
    return this.#open.get(entry.id) === entry;
  }

  accept(entry: Entry): void {
    this.#waiting.push(entry);
    this.#open.set(entry.id, entry);
    this.#bytes += entry.bytes;
    this.#waitingBytes += entry.bytes;
  }

  /** The next entries to write: up to `maxBytes` and `maxCount`, at least one. From here on they count as written. */
  takeWaiting(maxBytes: number, maxCount = Number.POSITIVE_INFINITY): readonly Entry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if (count > 0 && (count === maxCount || bytes + entry.bytes > maxBytes)) break;
      bytes += entry.bytes;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    this.#waitingBytes -= bytes;
    this.#written.push(...taken);
    return taken;
  }

  /** Takes an entry back that has not been written. False: it has. */
  withdraw(entry: Entry): boolean {
    const index = this.#waiting.indexOf(entry);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    this.#bytes -= entry.bytes;
    this.#waitingBytes -= entry.bytes;
    this.#open.delete(entry.id);
    return true;
  }

  /** The server has handled the next `count` written messages. */
  acknowledge(count: number): void {
    const acknowledged = this.#written.splice(0, count);
    for (const entry of acknowledged) this.#bytes -= entry.bytes;
    this.#acknowledged.push(...acknowledged);
  }

  /** The echo has come for the next `count` messages. */
  echo(count: number): void {
    this.#echoed += count;
  }

  /** Removes and returns the acknowledged entries whose echo has come; they are open until they are settled. */
  takeEchoed(): readonly Entry[] {
    const count = Math.min(this.#echoed, this.#acknowledged.length);
    this.#echoed -= count;
    return this.#acknowledged.splice(0, count);
  }

  /** Removes and returns all acknowledged entries, for a server whose refusals come before its acknowledgements. */
  takeAcknowledged(): readonly Entry[] {
    const taken = this.#acknowledged;
    this.#acknowledged = [];
    this.#echoed = Math.max(0, this.#echoed - taken.length);
    return taken;
  }

  /** True, once: the entry owes no answer any more, and the caller gives it. */
  settle(entry: Entry): boolean {
    return this.#open.get(entry.id) === entry && this.#open.delete(entry.id);
  }

  /** The entry that a bounce settles. */
  bounce(id: string, from: Jid | undefined, ownDomain: string): Entry | undefined {
    const entry = this.#open.get(id);
    if (entry === undefined) return undefined;
    return mayRefuse(from, entry.to, ownDomain) && this.settle(entry) ? entry : undefined;
  }

  /** Open entries past their deadline. */
  overdue(nowMs: number): Stages<Entry> {
    const late = (entry: Entry) => entry.deadlineMs <= nowMs && this.#open.get(entry.id) === entry;
    return {
      waiting: this.#waiting.filter(late),
      written: this.#written.filter(late),
      acknowledged: this.#acknowledged.filter(late),
    };
  }

  /** Written and not acknowledged, oldest first, whether they owe an answer or not. */
  get written(): readonly Entry[] {
    return this.#written;
  }

  get waiting(): readonly Entry[] {
    return this.#waiting;
  }

  get oldestWritten(): Entry | undefined {
    return this.#written[0];
  }

  get firstWaiting(): Entry | undefined {
    return this.#waiting[0];
  }

  /**
   * The connection that carried the written messages is gone, and the server is known not to have handled them: those
   * that still owe an answer wait again, before everything else. Returns them.
   */
  rewind(): readonly Entry[] {
    const again: Entry[] = [];
    for (const entry of this.#written) {
      if (this.#open.get(entry.id) === entry) again.push(entry);
      else this.#bytes -= entry.bytes;
    }
    this.#written = [];
    this.#waiting.unshift(...again);
    for (const entry of again) this.#waitingBytes += entry.bytes;
    this.#echoed = Math.min(this.#echoed, this.#acknowledged.length);
    return again;
  }

  /** Settles and returns the written messages, whose fate nobody knows, and the acknowledged ones. */
  giveUpWritten(): Omit<Stages<Entry>, "waiting"> {
    for (const entry of this.#written) this.#bytes -= entry.bytes;
    const written = this.#written.filter((entry) => this.settle(entry));
    const acknowledged = this.#acknowledged.filter((entry) => this.settle(entry));
    this.#written = [];
    this.#acknowledged = [];
    this.#echoed = 0;
    return { written, acknowledged };
  }

  /** Settles and returns all that is open, also what `takeEchoed` gave out (as acknowledged); the ledger is then empty. */
  giveUp(): Stages<Entry> {
    const waiting = this.#waiting.filter((entry) => this.settle(entry));
    const { written, acknowledged } = this.giveUpWritten();
    const echoed = [...this.#open.values()];
    this.#open.clear();
    this.#waiting = [];
    this.#bytes = 0;
    this.#waitingBytes = 0;
    return { waiting, written, acknowledged: [...acknowledged, ...echoed] };
  }
}
