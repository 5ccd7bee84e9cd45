/** How long and how often is measured, and what a part of the benchmark is given. */

import type { Results } from "./results.ts";

export interface Options {
  readonly quick: boolean;
  /** How often everything is measured, in turn. */
  readonly rounds: number;
  /** Of one measurement; wrk takes whole ones. */
  readonly seconds: number;
  /** Where mod_post_msg and mod_rest are; undefined: they are left out. */
  readonly prosodyModules: string | undefined;
}

export interface Bench extends Options {
  readonly results: Results;
  /** Called when a measurement begins. */
  step(what: string): void;
}

export interface Part {
  readonly name: string;
  /** How many times `run` calls `step`. */
  steps(options: Options): number;
  run(bench: Bench): Promise<void>;
}

const quick = process.env["BENCH_QUICK"] === "1";

export const options: Options = {
  quick,
  rounds: quick ? 2 : 5,
  seconds: quick ? 1 : 3,
  prosodyModules: process.env["PROSODY_MODULES"] || undefined,
};
