/**
 * So many requests at one time; one more is refused at once, before anything is read of it or done for it. It is let in
 * all the same while there are others whose bodies are late: callers who drip must not keep out those who have sent.
 */

import { Failure } from "../errors.ts";
import { type Arrival, slowestBytesPerSecond } from "./body.ts";

/** What a request has while it is served. */
export interface Place {
  /** While the body comes, the request may have to give way. */
  whileArriving<T>(read: (arrival: Arrival) => Promise<T>): Promise<T>;
}

/** How many bytes a body may be behind without giving way: a second's, since it has to come from somewhere. */
const patienceBytes = slowestBytesPerSecond;

export class InFlight {
  #count = 0;
  readonly #arriving = new Set<Arriving>();

  get count(): number {
    return this.#count;
  }

  /** Rejects with `overloaded` when `max` requests are served already. */
  async hold<T>(max: number, work: (place: Place) => T | Promise<T>): Promise<T> {
    if (this.#count >= max && !this.#makeRoom(max)) throw full(max);
    this.#count += 1;
    try {
      return await work(this.#place);
    } finally {
      this.#count -= 1;
    }
  }

  readonly #place: Place = {
    whileArriving: async (read) => {
      const arriving = new Arriving();
      this.#arriving.add(arriving);
      try {
        return await read(arriving);
      } finally {
        this.#arriving.delete(arriving);
      }
    },
  };

  /** The body that is furthest behind gives way. */
  #makeRoom(max: number): boolean {
    let last: Arriving | undefined;
    let most = patienceBytes;
    for (const each of this.#arriving) {
      const behind = each.bytesBehind();
      if (behind <= most) continue;
      most = behind;
      last = each;
    }
    if (last === undefined) return false;
    this.#arriving.delete(last);
    last.giveWay(full(max));
    return true;
  }
}

class Arriving implements Arrival {
  readonly #startedMs = performance.now();
  #bytes = 0;
  #unwanted: ((reason: Failure) => void) | undefined;

  onUnwanted(listener: (reason: Failure) => void): void {
    this.#unwanted = listener;
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** What the slowest body that is served would have more by now. */
  bytesBehind(): number {
    return ((performance.now() - this.#startedMs) / 1_000) * slowestBytesPerSecond - this.#bytes;
  }

  giveWay(reason: Failure): void {
    this.#unwanted?.(reason);
  }
}

function full(max: number): Failure {
  return new Failure("overloaded", `${max} requests are being served, the most at one time; nothing was sent.`);
}
