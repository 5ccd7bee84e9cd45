/** What the parts that go through a real server have in common: the levels, and how the figures are written down. */

import { type Contender, measureInTurn, type Sample, stepsInTurn, valuesOf } from "../compare.ts";
import type { Bench, Options } from "../options.ts";
import { medianOf } from "../statistics.ts";

export const levels = [1, 16, 64, 256] as const;
export type Level = (typeof levels)[number];
type Samples = ReadonlyMap<string, readonly Sample[]>;

/** From so many cores on, a server that runs on one of them is at its limit, and so is the machine. */
const oneCore = 0.9;
const allCores = 1.85;

/** The levels of the targets are measured in full, the others fewer times and shorter. */
export function effort(options: Options, level: Level, important: readonly Level[]) {
  const { rounds, seconds } = options;
  if (important.includes(level)) return { rounds, seconds };
  return { rounds: Math.min(rounds, 3), seconds: Math.min(seconds, 2) };
}

export function stepsThrough(options: Options, contenders: number, important: readonly Level[]): number {
  return levels.reduce((sum, level) => sum + stepsInTurn(contenders, effort(options, level, important)), 0);
}

export async function measureThrough(
  bench: Bench,
  part: string,
  server: string,
  important: readonly Level[],
  contendersAt: (level: Level) => readonly Contender[],
): Promise<ReadonlyMap<Level, Samples>> {
  const found = new Map<Level, Samples>();
  for (const level of levels) {
    const when = level === 1 ? "1 connection" : `${level} connections`;
    const contenders = contendersAt(level);
    const samples = await measureInTurn(bench, `${part}, ${when}`, contenders, effort(bench, level, important));
    found.set(level, samples);
    for (const [who, ofOne] of samples) writeDown(bench, part, when, who, server, ofOne);
  }
  return found;
}

function writeDown(bench: Bench, part: string, when: string, who: string, server: string, samples: readonly Sample[]) {
  const { results } = bench;
  results.figure(
    part,
    when,
    who,
    "messages/s",
    valuesOf(samples, ({ perSecond }) => perSecond),
  );
  results.figure(
    part,
    when,
    who,
    "p50, ms",
    valuesOf(samples, ({ p50Ms }) => p50Ms),
  );
  results.figure(
    part,
    when,
    who,
    "p99, ms",
    valuesOf(samples, ({ p99Ms }) => p99Ms),
  );
  const coresOf = (name: string) => samples.flatMap(({ cores }) => cores[name] ?? []);
  if (who in (samples[0]?.cores ?? {})) results.figure(part, when, who, "own cores", coresOf(who));
  results.figure(part, when, who, "server's cores", coresOf(server));
  const all = valuesOf(samples, ({ cores }) => Object.values(cores).reduce((sum, each) => sum + each, 0));
  if (medianOf(coresOf(server)) >= oneCore) results.remark(part, when, who, "held by", server);
  else if (medianOf(all) >= allCores) results.remark(part, when, who, "held by", "both cores");
}
