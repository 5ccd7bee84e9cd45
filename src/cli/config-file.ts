/** The configuration that a command works on: which file it is, and its problems told. */

import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type ConfigProblem, formatProblem } from "../config/problem.ts";
import { type Config, loadConfig } from "../config.ts";
import type { Process } from "./process.ts";

export interface ConfigFile {
  readonly file: string;
  readonly config: Config;
  readonly warnings: readonly ConfigProblem[];
  /** What takes effect at a start only, by its label: `[http] listen`. */
  readonly fixed: ReadonlyMap<string, unknown>;
}

/** Where a configuration is looked for when `--config` names none, in this order. */
export const defaultConfigFiles = ["post-msg.toml", "/etc/post-msg/post-msg.toml"] as const;

/** Undefined when there is no good configuration; the reasons are on standard error then. */
export async function openConfigFile(
  named: string | undefined,
  process: Process,
  defaults: readonly string[] = defaultConfigFiles,
): Promise<ConfigFile | undefined> {
  const file = await findConfigFile(named, defaults);
  if (file === undefined) {
    process.writeError(noConfiguration(defaults));
    return undefined;
  }
  const loaded = await loadConfig(file);
  if ("config" in loaded) return { file, ...loaded };
  for (const problem of loaded.problems) process.writeError(`${formatProblem(problem)}\n`);
  return undefined;
}

/** Undefined when none is named and none is there. */
export async function findConfigFile(
  named: string | undefined,
  defaults: readonly string[] = defaultConfigFiles,
): Promise<string | undefined> {
  return named ?? firstThatExists(defaults);
}

async function firstThatExists(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    const found = await stat(file).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== "ENOENT" && error.code !== "ENOTDIR",
    );
    if (found) return file;
  }
  return undefined;
}

export function noConfiguration(defaults: readonly string[] = defaultConfigFiles): string {
  const files = defaults.map((file) => resolve(file));
  return [
    `post-msg: there is no configuration: neither ${files.join(" nor ")} exists, and --config FILE names none.`,
    `Write this line to ${files[0]}, with the domain of your XMPP server, whose users may then log in:`,
    `[hosts."example.com"]`,
    "",
  ].join("\n");
}
