/** Puts the results of a whole run between the two marks in docs/performance.md. */

import type { Machine } from "./machine.ts";
import type { Results } from "./results.ts";
import { figureTable, targetTable } from "./tables.ts";

const [begin, end] = ["<!-- results: written by make bench -->", "<!-- end of results -->"];

export async function writeDocument(file: string, machine: Machine, took: string, results: Results): Promise<void> {
  const text = await Bun.file(file).text();
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for results, between ${begin} and ${end}.`);
  const lines = [
    begin,
    "",
    `Measured on ${machine.date} in ${took}: ${machine.machine}; ${machine.versions}.`,
    "",
    targetTable(results),
    "",
    "![Messages a second through Prosody and ejabberd](performance.svg)",
    "",
    ...results.notes.map((note) => `- ${note}`),
    "",
    figureTable(results),
    "",
  ];
  await Bun.write(file, `${text.slice(0, from)}${lines.join("\n")}\n${text.slice(to)}`);
}
