/** What is not TOML: reported with its line, and hiding no other mistake. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { configProblems } from "../support/config-problems.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

const host = `[hosts."example.com"]`;

/** Statements that cannot be read, and the lines and keys that are named; the mistake behind each is never hidden. */
const syntax: readonly [text: string, problems: readonly string[]][] = [
  ["level = ", ["2: [log] level: is not valid TOML (unspecified values are invalid), got level ="]],
  ["level", ["2: is not valid TOML (expected equal (=) token), got level"]],
  [`level = "info`, [`2: [log] level: is not valid TOML (unterminated string constant), got level = "info`]],
  [
    `level = "in\\q"`,
    [`2: [log] level: is not valid TOML (invalid character in escape sequence), got level = "in\\q"`],
  ],
  [
    `level = "info" format = "json"`,
    [`2: [log] level: is not valid TOML (must be a newline), got level = "info" format = "json"`],
  ],
  [
    `level = """info`,
    [`2: [log] level: is not valid TOML (what this line opens is never closed), got level = """info`],
  ],
  [
    `level = ["info",`,
    [`2: [log] level: is not valid TOML (what this line opens is never closed), got level = ["info",`],
  ],
  [`level = [\n  "a"\n  "b",\n]`, [`4: is not valid TOML (expected comma (,) token), got "b",`]],
  ["[hosts.x", ["2: is not valid TOML (unterminated table-key), got [hosts.x"]],
];

test.each(syntax)("log: %j is a mistake that hides no other", async (statement, problems) => {
  const [before, after] = [`[log]\n${statement}`, `[sessions]\nmax = 0\n${host}`];
  const line = before.split("\n").length + 2;
  expect(await configProblems(folder, `${before}\n${after}`)).toEqual(
    [...problems, `${line}: [sessions] max: must be a whole number from 1 to 100000, got 0`].map(
      (problem) => `post-msg.toml:${problem}`,
    ),
  );
});

test("plaintext beside a connect that is not TOML is one mistake", async () => {
  expect(await configProblems(folder, `${host}\nconnect = xmpp\ninsecure_plaintext = true`)).toHaveLength(1);
});

test("ten thousand broken lines are read in seconds", async () => {
  const started = performance.now();
  expect(await configProblems(folder, `a = [\n${"b = [\n".repeat(10_000)}`)).not.toEqual([]);
  expect(performance.now() - started).toBeLessThan(5_000);
});
