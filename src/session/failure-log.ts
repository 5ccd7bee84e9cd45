/** When something failed, for each of many keys, and whether that was too often: so many times within a window. */

import { BoundedMap } from "./bounded-map.ts";

export interface Limit {
  readonly count: number;
  readonly windowMs: number;
}

export class FailureLog {
  readonly #limits: readonly Limit[];
  readonly #longest: number;
  readonly #most: number;
  readonly #times: BoundedMap<readonly number[]>;

  /** `maxKeys`: of more keys, those that failed longest ago are forgotten. */
  constructor(limits: readonly Limit[], maxKeys: number) {
    this.#limits = limits;
    this.#longest = Math.max(...limits.map(({ windowMs }) => windowMs));
    this.#most = Math.max(...limits.map(({ count }) => count));
    this.#times = new BoundedMap(maxKeys);
  }

  /** Milliseconds until the key may try again; 0: now. */
  pauseOf(key: string, nowMs: number): number {
    const times = this.#times.get(key) ?? [];
    // The count-th failure from the end has to leave the window.
    const waits = this.#limits.map(
      ({ count, windowMs }) => (times.at(-count) ?? Number.NEGATIVE_INFINITY) + windowMs - nowMs,
    );
    return Math.max(0, ...waits);
  }

  /** How many more failures the limits leave room for. */
  roomOf(key: string, nowMs: number): number {
    const times = this.#times.get(key) ?? [];
    const rooms = this.#limits.map(
      ({ count, windowMs }) => count - times.filter((timeMs) => timeMs + windowMs > nowMs).length,
    );
    return Math.max(0, Math.min(...rooms));
  }

  failed(key: string, nowMs: number): void {
    const recent = (this.#times.get(key) ?? []).filter((timeMs) => timeMs + this.#longest > nowMs);
    this.#times.set(key, [...recent, nowMs].slice(-this.#most));
  }

  forget(key: string): void {
    this.#times.delete(key);
  }
}
