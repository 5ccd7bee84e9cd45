/** What `make dist` made of the last commit, as build-twice.ts left it. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeTempFolder } from "../../../test/support/temp-folder.ts";
import { runLong } from "./debian-machine.ts";

export const publishedFolder = join(import.meta.dir, "../../../build/published");

/** The one file whose name ends so. */
export async function findPublished(ending: string): Promise<string> {
  const names = (await readdir(publishedFolder)).filter((name) => name.endsWith(ending));
  if (names.length !== 1) throw new Error(`${names.length} files end with "${ending}" in ${publishedFolder}.`);
  return join(publishedFolder, names[0] ?? "");
}

export interface Unpacked {
  /** The folder that was in the archive. */
  readonly path: string;
  remove(): Promise<void>;
}

export async function unpack(target: string): Promise<Unpacked> {
  const folder = await makeTempFolder("post-msg-unpacked-");
  await runLong(["tar", "-xzf", await findPublished(`-${target}.tar.gz`), "-C", folder.path], 60_000);
  const [name = ""] = await readdir(folder.path);
  return { path: join(folder.path, name), remove: folder.remove };
}
