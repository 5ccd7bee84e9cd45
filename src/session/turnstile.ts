/**
 * So many logins at a time, in a fair order: domains take turns, and within one the first to come is the first to go. One
 * domain's slow server cannot take every place.
 */

interface Group {
  held: number;
  readonly waiting: (() => void)[];
}

export class Turnstile {
  readonly #places: number;
  readonly #placesOfGroup: () => number;
  /** In the order of their turns. */
  readonly #groups = new Map<string, Group>();
  #held = 0;

  /** `placesOfGroup`: the most that one group may hold at the moment. */
  constructor(places: number, placesOfGroup: () => number) {
    this.#places = places;
    this.#placesOfGroup = placesOfGroup;
  }

  /** Runs `work` when there is a place. Rejects with the signal's reason if it aborts before. */
  async pass<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(name, signal);
    try {
      return await work();
    } finally {
      this.#leave(name);
    }
  }

  #enter(name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const group = this.#groups.get(name) ?? { held: 0, waiting: [] };
    this.#groups.set(name, group);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    group.waiting.push(resolve);
    const giveUp = () => {
      const index = group.waiting.indexOf(resolve);
      if (index === -1) return;
      group.waiting.splice(index, 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#admit();
    return promise.finally(() => signal.removeEventListener("abort", giveUp));
  }

  #leave(name: string): void {
    this.#held -= 1;
    const group = this.#groups.get(name);
    if (group !== undefined) {
      group.held -= 1;
      // To the end of the line; who came while it had its turn is next.
      this.#groups.delete(name);
      if (group.held > 0 || group.waiting.length > 0) this.#groups.set(name, group);
    }
    this.#admit();
  }

  #admit(): void {
    const placesOfGroup = this.#placesOfGroup();
    while (this.#held < this.#places) {
      const next = [...this.#groups].find(([, { held, waiting }]) => waiting.length > 0 && held < placesOfGroup);
      if (next === undefined) return;
      const [name, group] = next;
      this.#groups.delete(name);
      this.#groups.set(name, group);
      group.held += 1;
      this.#held += 1;
      group.waiting.shift()?.();
    }
  }
}
