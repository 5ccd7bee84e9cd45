/** So many requests at one time; one more is refused at once, before anything is read of it or done for it. */

import { Failure } from "../errors.ts";

export class InFlight {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Rejects with `overloaded` when `max` requests are served already. */
  async hold<T>(max: number, work: () => T | Promise<T>): Promise<T> {
    if (this.#count >= max) throw full(max);
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
    }
  }
}

function full(max: number): Failure {
  return new Failure("overloaded", `${max} requests are being served, the most at one time; nothing was sent.`);
}
