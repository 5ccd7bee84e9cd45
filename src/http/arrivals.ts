/**
 * The bodies that are on their way: until when each of them has to get on, and which one is furthest behind. One timer
 * looks after all of them; with a timer and an AbortSignal each, nearly every request would pay for what few need.
 */

import type { Failure } from "../errors.ts";

/** A body that comes slower than this is not waited for. */
export const slowestBytesPerSecond = 200;
/** How many bytes a body may be behind without giving way: a second's, since it has to come from somewhere. */
const patienceBytes = slowestBytesPerSecond;
/** How much later than at its deadline a body may be found to be late. */
const lookMs = 100;

/** No more of the body is wanted: it is late, or has to give way. */
export type GiveUp = (reason: Failure | "late") => void;

export class Arrival {
  readonly #startedMs = performance.now();
  readonly #graceMs: number;
  readonly giveUp: GiveUp;
  #bytes = 0;

  constructor(graceMs: number, giveUp: GiveUp) {
    this.#graceMs = graceMs;
    this.giveUp = giveUp;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** What the slowest body that is served would have more by now. */
  bytesBehind(nowMs: number): number {
    return ((nowMs - this.#startedMs) / 1_000) * slowestBytesPerSecond - this.#bytes;
  }

  /** By any moment there must be what the slowest rate makes of the time beyond the grace time. */
  isLate(nowMs: number): boolean {
    return nowMs - this.#startedMs > this.#graceMs + (this.#bytes / slowestBytesPerSecond) * 1_000;
  }
}

export class Arrivals {
  readonly #all = new Set<Arrival>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `giveUp` is called at most once, and not after `end`. */
  begin(graceMs: number, giveUp: GiveUp): Arrival {
    const arrival = new Arrival(graceMs, giveUp);
    this.#all.add(arrival);
    this.#timer ??= setInterval(() => this.#look(), lookMs);
    return arrival;
  }

  /** The body is here, or is not waited for any more. */
  end(arrival: Arrival): void {
    this.#all.delete(arrival);
  }

  /** Makes the body that is furthest behind give way. False: none is behind by more than it may be. */
  giveWay(reason: Failure): boolean {
    const nowMs = performance.now();
    let last: Arrival | undefined;
    let most = patienceBytes;
    for (const each of this.#all) {
      const behind = each.bytesBehind(nowMs);
      if (behind <= most) continue;
      most = behind;
      last = each;
    }
    if (last === undefined) return false;
    this.#all.delete(last);
    last.giveUp(reason);
    return true;
  }

  /** Not stopped as soon as nothing is on its way: most bodies are here at once, and the next one comes as soon. */
  #look(): void {
    if (this.#all.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const nowMs = performance.now();
    for (const each of this.#all) {
      if (!each.isLate(nowMs)) continue;
      this.#all.delete(each);
      each.giveUp("late");
    }
  }
}
