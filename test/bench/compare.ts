/** Measures several contenders in turn, so that whatever else the machine does is done to all of them. */

import type { Bench } from "./options.ts";

/** What was measured in one round. */
export interface Sample {
  /** Answered, or acknowledged. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** By process: how many cores it has used, such as 0.97. */
  readonly cores: Readonly<Record<string, number>>;
  /** CPU of the contender itself, user and system, in microseconds for each request. */
  readonly cpuUs: number;
}

export interface Contender {
  readonly name: string;
  /** Measures for so many seconds. */
  run(seconds: number): Promise<Sample>;
}

/** Before the first round, for the engine to compile what it runs: CPU time is some twice as high until then. */
const warmUpSeconds = 5;

/** `rounds` measurements of each, by name; before them one that does not count, longer where CPU time is what counts. */
export async function measureInTurn(
  bench: Bench,
  label: string,
  contenders: readonly Contender[],
  {
    rounds,
    seconds,
    longWarmUp = false,
  }: { readonly rounds: number; readonly seconds: number; readonly longWarmUp?: boolean } = bench,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    // Every other round backwards: whoever is measured after a heavy one is not always the same.
    for (const { name, run } of round % 2 === 0 ? contenders : contenders.toReversed()) {
      bench.step(`${label}: ${name}`);
      const sample = await run(round >= 0 ? seconds : longWarmUp ? warmUpSeconds : 1);
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

export function stepsInTurn(contenders: number, { rounds }: { readonly rounds: number }): number {
  return contenders * (rounds + 1);
}

export function valuesOf(samples: readonly Sample[] | undefined, read: (sample: Sample) => number): number[] {
  return (samples ?? []).map(read);
}
