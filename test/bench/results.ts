/** What a run has found: figures, each from several rounds, and the targets that they are held against. */

import { medianOf } from "./statistics.ts";

export interface Figure {
  /** The part of the benchmark, such as "Prosody, hashed passwords". */
  readonly part: string;
  /** The circumstances, such as "64 connections". */
  readonly when: string;
  /** Who was measured, such as "post-msg". */
  readonly who: string;
  /** What, with its unit, such as "requests/s". */
  readonly what: string;
  readonly median: number;
  /** One a round. */
  readonly values: readonly number[];
  /** In place of numbers. */
  readonly text?: string;
}

export interface Target {
  readonly name: string;
  readonly unit: string;
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
  readonly median: number;
  readonly values: readonly number[];
  readonly met: boolean;
}

export class Results {
  readonly figures: Figure[] = [];
  readonly targets: Target[] = [];
  /** What was left out and why, and who was at the limit. */
  readonly notes: string[] = [];

  figure(part: string, when: string, who: string, what: string, values: readonly number[]): void {
    this.figures.push({ part, when, who, what, median: medianOf(values), values });
  }

  remark(part: string, when: string, who: string, what: string, text: string): void {
    this.figures.push({ part, when, who, what, median: Number.NaN, values: [], text });
  }

  target(name: string, unit: string, bound: Target["bound"], values: readonly number[]): void {
    const median = medianOf(values);
    const met = "atLeast" in bound ? median >= bound.atLeast : median <= bound.atMost;
    this.targets.push({ name, unit, bound, median, values, met });
  }

  note(sentence: string): void {
    this.notes.push(sentence);
  }
}

/** Round by round: what was measured one after the other is compared, and nothing else. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
}

export function differences(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value - (theirs[round] ?? Number.NaN));
}
