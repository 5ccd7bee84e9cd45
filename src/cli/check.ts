/** `post-msg check`: says whether the configuration is good. */

import { formatProblem } from "../config/problem.ts";
import type { Config } from "../config.ts";
import { openConfigFile } from "./config-file.ts";
import { exitCodes, type Process } from "./process.ts";

/** Resolves to the exit code. */
export async function check(named: string | undefined, process: Process): Promise<number> {
  const opened = await openConfigFile(named, process);
  if (opened === undefined) return exitCodes.mistake;
  const { file, config, warnings } = opened;
  for (const warning of warnings) process.writeError(`${formatProblem(warning)} (warning)\n`);
  const hosts = config.hosts.size === 1 ? "1 host" : `${config.hosts.size} hosts`;
  process.writeOutput(`${file} is good: ${hosts}, listens on ${showListen(config.http.listen)}\n`);
  return exitCodes.good;
}

/** As it is written in the configuration. */
function showListen(listen: Config["http"]["listen"]): string {
  if ("unixPath" in listen) return `unix:${listen.unixPath}`;
  return listen.hostname.includes(":") ? `[${listen.hostname}]:${listen.port}` : `${listen.hostname}:${listen.port}`;
}
