/**
 * Long tests and short ones are the same code: SOAK=1 runs them in full. What is drawn by chance comes from one seed,
 * which is said at the start and can be given (SEED=n), so that a run that fails can be run again.
 */

export interface Random {
  /** At least 0 and less than 1. */
  fraction(): number;
  /** At least `from` and less than `to`. */
  integer(from: number, to: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

export const isSoak = process.env["SOAK"] === "1";

const seed = readSeed(process.env["SEED"]);

/** The size of a test: in full for a soak, reduced for every day. */
export function sized(full: number, reduced: number): number {
  return isSoak ? full : reduced;
}

/** How long a test may take, in milliseconds. */
export function allowed(fullMs: number, reducedMs: number): number {
  return isSoak ? fullMs : reducedMs;
}

/** Chance of its own for each test, so that the order of the tests does not matter. */
export function makeRandom(test: string): Random {
  process.stdout.write(`SEED=${seed} (${test})\n`);
  const next = mulberry32(seed ^ Bun.hash.crc32(test));
  const integer = (from: number, to: number) => from + Math.floor(next() * (to - from));
  return {
    fraction: next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => {
      const item = items[integer(0, items.length)];
      if (item === undefined) throw new Error("There is nothing to pick from.");
      return item;
    },
  };
}

function readSeed(text: string | undefined): number {
  if (text === undefined || text === "") return crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`SEED is a number, not "${text}".`);
  return Number(text);
}

/** A small generator with 32 bits of state; the constants are its author's (Tommy Ettinger, public domain). */
function mulberry32(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
