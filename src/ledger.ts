/**
 * Every message that a session has taken and that still owes an answer: waiting, then written, then settled, in the order
 * in which they came. Pure: it moves entries and tells which are settled; the session writes, and answers the callers.
 */

import type { Jid } from "./jid.ts";

export interface LedgerEntry {
  readonly id: string;
  readonly to: Jid;
  readonly bytes: number;
  /** When its caller is answered without an acknowledgement, on the clock of performance.now(). */
  deadlineMs: number;
}

export class Ledger<Entry extends LedgerEntry> {
  #waiting: Entry[] = [];
  /** Written and not acknowledged; one that is settled already stays, since the server counts it too. */
  #written: Entry[] = [];
  readonly #open = new Map<string, Entry>();
  #bytes = 0;

  /** Messages that still owe an answer. */
  get size(): number {
    return this.#open.size;
  }

  /** Bytes that the server has not acknowledged, written or not. */
  get bytes(): number {
    return this.#bytes;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  accept(entry: Entry): void {
    this.#waiting.push(entry);
    this.#open.set(entry.id, entry);
    this.#bytes += entry.bytes;
  }

  /** The next entries to write, as many as fit into `maxBytes` and at least one; from here on they count as written. */
  takeWaiting(maxBytes: number): readonly Entry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if (count > 0 && bytes + entry.bytes > maxBytes) break;
      bytes += entry.bytes;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    this.#written.push(...taken);
    return taken;
  }

  /** Takes an entry back that has not been written. False: it has. */
  withdraw(entry: Entry): boolean {
    const index = this.#waiting.indexOf(entry);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    this.#bytes -= entry.bytes;
    this.#open.delete(entry.id);
    return true;
  }

  /** The entries that an acknowledgement of the next `count` written messages settles. */
  acknowledge(count: number): readonly Entry[] {
    const acknowledged = this.#written.splice(0, count);
    for (const entry of acknowledged) this.#bytes -= entry.bytes;
    return acknowledged.filter((entry) => this.#settle(entry));
  }

  /**
   * The entry that a bounce settles. The id alone could be anybody's: the sender has to be the recipient, the
   * recipient's account or domain, or our own server (`from` absent, or `ownDomain`).
   */
  bounce(id: string, from: Jid | undefined, ownDomain: string): Entry | undefined {
    const entry = this.#open.get(id);
    if (entry === undefined) return undefined;
    const { to } = entry;
    const mayAnswer = from === undefined || [to.full, to.bare, to.domain, ownDomain].includes(from.full);
    return mayAnswer && this.#settle(entry) ? entry : undefined;
  }

  /** Entries that have waited, or have been written and unanswered, past their deadline. */
  overdue(nowMs: number): { readonly waiting: readonly Entry[]; readonly written: readonly Entry[] } {
    const late = (entry: Entry) => entry.deadlineMs <= nowMs && this.#open.get(entry.id) === entry;
    return { waiting: this.#waiting.filter(late), written: this.#written.filter(late) };
  }

  /** Settles all that is open, for a stream that is gone; the ledger is then as new. */
  abandon(): { readonly waiting: readonly Entry[]; readonly written: readonly Entry[] } {
    const written = this.#written.filter((entry) => this.#settle(entry));
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#written = [];
    this.#open.clear();
    this.#bytes = 0;
    return { waiting, written };
  }

  #settle(entry: Entry): boolean {
    return this.#open.get(entry.id) === entry && this.#open.delete(entry.id);
  }
}
