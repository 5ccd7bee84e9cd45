/** What is wrong with a configuration file, as the user is told it. */

import { formatProblem } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import type { TempFolder } from "./temp-folder.ts";

/** The problems of a `post-msg.toml` of that content in the folder, without the folder's name. */
export async function configProblems(folder: TempFolder, text: string | Uint8Array): Promise<string[]> {
  const file = `${folder.path}/post-msg.toml`;
  await Bun.write(file, text);
  const loaded = await loadConfig(file);
  if ("config" in loaded) return [];
  return loaded.problems.map((problem) => formatProblem(problem).replace(`${folder.path}/`, ""));
}
