/**
 * `make bench`: measures post-msg beside what people would run instead, the two in turn in the same run, and says how it
 * stands to its targets. Results go to the terminal, and as JSON, table and chart to docs/ (docs/performance.md says what
 * each figure is).
 *
 *     bun test/bench/bench.ts [PART…]     only these parts; nothing is written to docs/ then, but to build/bench/
 *     BENCH_QUICK=1                       a fraction of the time, for a look; to build/bench/ as well
 *     PROSODY_MODULES=FOLDER              where mod_post_msg and mod_rest are, to be measured too
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { drawChart } from "./chart.ts";
import { writeDocument } from "./document.ts";
import { describeMachine } from "./machine.ts";
import { type Bench, options } from "./options.ts";
import { parts } from "./parts.ts";
import { startProgress } from "./progress.ts";
import { Results } from "./results.ts";
import { figureTable, targetTable } from "./tables.ts";

const root = join(import.meta.dir, "../..");
const asked = process.argv.slice(2);
const chosen = asked.length === 0 ? parts : parts.filter(({ name }) => asked.includes(name));
const unknown = asked.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) {
  throw new Error(`There is no part ${unknown.join(", ")}, only ${parts.map(({ name }) => name).join(", ")}.`);
}

const startedMs = performance.now();
const machine = await describeMachine();
const results = new Results();
const progress = startProgress(chosen.reduce((sum, part) => sum + part.steps(options), 0));
const bench: Bench = { ...options, results, step: progress.step };
/** Of parts that broke; what the others have measured is not lost with them. */
const broken: string[] = [];
for (const part of chosen) {
  await part.run(bench).catch((error: unknown) => broken.push(`${part.name}: ${Bun.inspect(error)}`));
}
progress.stop();

const took = `${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes`;
const whole = chosen.length === parts.length && !options.quick && broken.length === 0;
const folder = join(root, whole ? "docs" : "build/bench");
const run = { ...machine, took, quick: options.quick, parts: chosen.map(({ name }) => name) };
await mkdir(folder, { recursive: true });
await Bun.write(join(folder, "performance.json"), `${JSON.stringify({ run, ...results }, undefined, 1)}\n`);
const chart = drawChart(results);
if (chart !== undefined) await Bun.write(join(folder, "performance.svg"), chart);
if (whole) await writeDocument(join(folder, "performance.md"), machine, took, results);
say(`${targetTable(results)}\n\n${figureTable(results)}\n`);
for (const note of results.notes) say(`- ${note}`);
say(`\n${Object.values(machine).join("; ")}; ${took}\nWritten to ${folder}/performance.*`);
for (const what of broken) say(`\nBroken off: ${what}`);
if (broken.length > 0) process.exitCode = 1;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
