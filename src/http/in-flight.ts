/**
 * So many requests at one time; one more is refused at once, before anything is read of it or done for it. It is let in
 * all the same while there are others whose bodies are late: callers who drip must not keep out those who have sent.
 */

import { Failure } from "../errors.ts";
import { Arrivals } from "./arrivals.ts";

export class InFlight {
  #count = 0;
  /** The bodies of those that are being served. */
  readonly arrivals = new Arrivals();

  get count(): number {
    return this.#count;
  }

  /** Throws `overloaded` when `max` requests are served already. Else one `leave` has to follow. */
  enter(max: number): void {
    if (this.#count >= max && !this.arrivals.giveWay(full(max))) throw full(max);
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
  }
}

function full(max: number): Failure {
  return new Failure("overloaded", `${max} requests are being served, the most at one time; nothing was sent.`);
}
