/** `post-msg openapi`: prints the API's description, as /openapi.json has it. */

import { version } from "../version.ts";
import { openConfigFile } from "./config-file.ts";
import { exitCodes, type Process } from "./process.ts";

/** Where no configuration says otherwise. */
const usual = { path: "/msg", rest: true };

/** Resolves to the exit code. Without a file of its own name, the paths are the usual ones. */
export async function openapi(named: string | undefined, process: Process): Promise<number> {
  const opened = named === undefined ? undefined : await openConfigFile(named, process);
  if (named !== undefined && opened === undefined) return exitCodes.mistake;
  // Of no use to the other commands, which are to start fast.
  const { describeApi } = await import("../http/api/document.ts");
  const { path, rest } = opened?.config.http ?? usual;
  process.writeOutput(`${JSON.stringify(describeApi({ path, rest, version }), null, 2)}\n`);
  return exitCodes.good;
}
