/**
 * `make dist` of the last commit, in two folders that know nothing of one another. What comes out must be the same to
 * the byte; what came out of the first is what the tests beside this file are about.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../run.ts";

const root = join(import.meta.dir, "../..");
const scratch = join(root, "build/test-package");

await rm(scratch, { recursive: true, force: true });
const folders = ["one", "a folder of another name"].map((name) => join(scratch, name));
const sums: string[] = [];
for (const folder of folders) {
  process.stdout.write(`make dist in "${folder}"\n`);
  await run(["git", "clone", "--quiet", "--no-hardlinks", root, folder]);
  // Neither a time nor a place nor a language may leave a trace.
  const env = { TZ: sums.length === 0 ? "UTC" : "Asia/Tokyo", LC_ALL: sums.length === 0 ? "C" : "C.UTF-8" };
  await run(["make", "--no-print-directory", "dist"], { cwd: folder, env });
  sums.push(await Bun.file(join(folder, "dist/SHA256SUMS")).text());
}
const [first = [], second = []] = sums.map((text) => text.trim().split("\n"));
const different = first.filter((line) => !second.includes(line));
if (different.length > 0 || first.length !== second.length) {
  throw new Error(`Two builds of one commit differ:\n${different.join("\n")}`);
}
process.stdout.write(`${first.length} files are the same to the byte in both.\n`);
