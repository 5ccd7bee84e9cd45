/** All places of accounts: the one that each account has, and those that lost theirs before they were done. */

import type { SessionCensus } from "../tally.ts";
import type { Slot } from "./slot.ts";

export class Slots {
  readonly #max: number;
  /** By bare JID. */
  readonly #present = new Map<string, Slot>();
  /** Given up, and not closed yet. */
  readonly #released = new Set<Slot>();
  /** Their logins are under way, and somebody known has not waited for them. */
  readonly #overtaken = new Set<Slot>();

  /** `max`: sessions at one time. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Live sessions and logins under way. */
  get size(): number {
    return this.#present.size;
  }

  get(bareJid: string): Slot | undefined {
    return this.#present.get(bareJid);
  }

  /** Overtakes the login that is under way for the account, if there is one. */
  add(slot: Slot): void {
    const before = this.#present.get(keyOf(slot));
    if (before !== undefined && !before.session.over) this.#overtaken.add(before);
    this.#present.set(keyOf(slot), slot);
  }

  /**
   * A login has succeeded: the account's other slot, if this one was overtaken and the other one has a session by now. If not,
   * the account is this one's again: the first to succeed has it.
   */
  overtakerOf(slot: Slot): Slot | undefined {
    if (!this.#overtaken.delete(slot)) return undefined;
    const present = this.#present.get(keyOf(slot));
    if (present?.session.begun && !present.session.over) return present;
    this.add(slot);
    return undefined;
  }

  remove(slot: Slot): void {
    this.#overtaken.delete(slot);
    if (this.#present.get(keyOf(slot)) === slot) this.#present.delete(keyOf(slot));
  }

  /** Takes the sessions of these domains from everybody; each is closed when it owes no answer any more. */
  release(domains: ReadonlySet<string>): void {
    const all = [...this.#present.values(), ...this.#overtaken];
    for (const slot of all.filter(({ session }) => domains.has(session.account.domain))) {
      this.remove(slot);
      this.#released.add(slot);
      slot.ready.then(
        () => slot.session.finish("the settings of its host have changed"),
        () => this.#released.delete(slot),
      );
      slot.session.ended.then(() => this.#released.delete(slot));
    }
  }

  get isFull(): boolean {
    // Asked at every login: as long as even the logins under way fit, nobody is counted.
    if (this.#present.size < this.#max) return false;
    return this.present.filter(({ session }) => session.begun && !session.over).length >= this.#max;
  }

  get present(): Slot[] {
    return [...this.#present.values()];
  }

  /** Those that wait for nothing. */
  get idle(): Slot[] {
    return this.present.filter(({ session }) => session.live && !session.busy);
  }

  get all(): Slot[] {
    return [...this.#present.values(), ...this.#released, ...this.#overtaken];
  }

  census(): SessionCensus {
    const sessions = { connecting: 0, busy: 0, idle: 0, reconnecting: 0 };
    let messages = 0;
    let bytes = 0;
    for (const { session } of this.all) {
      if (!session.begun) sessions.connecting += 1;
      else if (!session.live) sessions.reconnecting += 1;
      else if (session.busy) sessions.busy += 1;
      else sessions.idle += 1;
      messages += session.pending;
      bytes += session.pendingBytes;
    }
    return { sessions, messages, bytes };
  }
}

function keyOf({ session }: Slot): string {
  return session.account.bare;
}
