/** The addresses of one host in the order in which to try them: the families in turn, IPv6 first (RFC 8305 section 4). */

import { isIP } from "node:net";

/** More addresses than that say nothing more about whether a server is up. */
export const maxAddresses = 8;

export class AddressQueue {
  readonly #seen = new Set<string>();
  readonly #waiting: { 4: string[]; 6: string[] } = { 4: [], 6: [] };
  #turn: 4 | 6 = 6;
  #taken = 0;

  /** What is not an address, or has been added before, is dropped. */
  add(addresses: readonly string[]): void {
    for (const address of addresses) {
      const family = isIP(address);
      if ((family !== 4 && family !== 6) || this.#seen.has(address)) continue;
      this.#seen.add(address);
      this.#waiting[family].push(address);
    }
  }

  get isEmpty(): boolean {
    return this.#taken === maxAddresses || this.#waiting[4].length + this.#waiting[6].length === 0;
  }

  /** Undefined if it is empty, which may change with the next `add`. */
  take(): string | undefined {
    if (this.isEmpty) return undefined;
    const family = this.#waiting[this.#turn].length > 0 ? this.#turn : other(this.#turn);
    this.#turn = other(family);
    this.#taken++;
    return this.#waiting[family].shift();
  }
}

function other(family: 4 | 6): 4 | 6 {
  return family === 4 ? 6 : 4;
}
