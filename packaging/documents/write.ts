/**
 * `write.ts FOLDER`: writes what is made from the program itself: the sample configuration, the manual pages, and the
 * completions. Nothing of it is kept in the repository, so nothing of it can be out of date.
 */

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { commitTime, version } from "../version.ts";
import { completions } from "./completions.ts";
import { commandManual } from "./manual-command.ts";
import { configManual } from "./manual-config.ts";
import { sampleConfig } from "./sample-config.ts";

/** By path below the folder. */
export function makeDocuments(edition: {
  readonly version: string;
  readonly date: string;
}): Readonly<Record<string, string>> {
  const { bash, zsh, fish } = completions();
  return {
    "post-msg.toml": sampleConfig(),
    "man/post-msg.1": commandManual(edition),
    "man/post-msg.toml.5": configManual(edition),
    "completions/post-msg.bash": bash,
    "completions/_post-msg": zsh,
    "completions/post-msg.fish": fish,
  };
}

export async function writeDocuments(folder: string): Promise<void> {
  const date = commitTime().toISOString().slice(0, 10);
  for (const [name, content] of Object.entries(makeDocuments({ version: version(), date }))) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await Bun.write(file, content);
  }
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error("write.ts needs the folder to write to.");
  await writeDocuments(folder);
}
