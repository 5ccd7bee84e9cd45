/** Every code of src/errors.ts is one that something in src can answer with. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { codes } from "../../src/errors.ts";

const source = join(import.meta.dir, "../../src");
/** Where codes stand that somebody else answers with: the list itself, and tables that are read by code. */
const tables = ["errors.ts", "http/problem.ts", "session/pauses.ts", "session/recovery.ts"];

test("no code is one that nobody answers with", async () => {
  const texts: string[] = [];
  for await (const name of new Bun.Glob("**/*.ts").scan(source)) {
    if (!tables.includes(name)) texts.push(await Bun.file(join(source, name)).text());
  }
  texts.push(await answersOfErrors());
  const all = texts.join("\n");
  expect(codes.filter((code) => !all.includes(`"${code}"`))).toEqual([]);
});

/** `asFailure` is the one place in errors.ts that makes a Failure. */
async function answersOfErrors(): Promise<string> {
  const text = await Bun.file(join(source, "errors.ts")).text();
  return text.slice(text.indexOf("export function asFailure"));
}
