/**
 * `make dist` of the last commit, in two folders that know nothing of one another. What comes out must be the same to
 * the byte; it is left in build/published, for the tests beside this file.
 */

import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeTempFolder } from "../../test/support/temp-folder.ts";
import { run } from "../run.ts";
import { publishedFolder } from "./support/published.ts";

const root = join(import.meta.dir, "../..");
const scratch = await makeTempFolder("post-msg-twice-");
const folders = ["one", "a folder of another name"].map((name) => join(scratch.path, name));
// Neither a time nor a place nor a language may leave a trace.
const environments = [
  { TZ: "UTC", LC_ALL: "C" },
  { TZ: "Asia/Tokyo", LC_ALL: "C.UTF-8" },
];

try {
  for (const folder of folders) await run(["git", "clone", "--quiet", "--no-hardlinks", root, folder]);
  const sums: string[][] = [];
  for (const [index, folder] of folders.entries()) {
    process.stdout.write(`make dist in "${folder}"\n`);
    await run(["make", "--no-print-directory", "dist"], { cwd: folder, env: environments[index] ?? {} });
    sums.push((await Bun.file(join(folder, "dist/SHA256SUMS")).text()).trim().split("\n"));
  }
  const [first = [], second = []] = sums;
  const different = first.filter((line) => !second.includes(line));
  if (different.length > 0 || first.length !== second.length) {
    throw new Error(`Two builds of one commit differ:\n${different.join("\n")}`);
  }
  process.stdout.write(`${first.length} files are the same to the byte in both.\n`);
  await rm(publishedFolder, { recursive: true, force: true });
  await cp(join(folders[0] ?? "", "dist"), publishedFolder, { recursive: true });
} finally {
  await scratch.remove();
}
