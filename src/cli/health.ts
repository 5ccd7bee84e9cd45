/** `post-msg health`: asks the process that serves, as a container runtime or a monitor does it every few seconds. */

import type { Config } from "../config.ts";
import { openConfigFile } from "./config-file.ts";
import { exitCodes, type Process } from "./process.ts";

const timeoutMs = 5_000;

/** Resolves to the exit code. */
export async function health(named: string | undefined, what: "live" | "ready", process: Process): Promise<number> {
  const opened = await openConfigFile(named, process);
  if (opened === undefined) return exitCodes.mistake;
  const { listen } = opened.config.http;
  if ("port" in listen && listen.port === 0) {
    process.writeError(
      "post-msg: port 0 means any free one, so nobody can say where to ask; [http] listen needs a port.\n",
    );
    return exitCodes.mistake;
  }
  const answer = await ask(listen, what);
  if (answer === undefined) {
    process.writeOutput(`${what}\n`);
    return exitCodes.good;
  }
  process.writeError(`post-msg: not ${what}: ${answer}\n`);
  return exitCodes.notHealthy;
}

/** Undefined: yes. Otherwise why not. */
async function ask(listen: Config["http"]["listen"], what: string): Promise<string | undefined> {
  const [origin, unix] = "unixPath" in listen ? ["http://localhost", listen.unixPath] : [originOf(listen), undefined];
  try {
    const response = await fetch(`${origin}/health/${what}`, {
      signal: AbortSignal.timeout(timeoutMs),
      ...(unix === undefined ? {} : { unix }),
    });
    return response.ok ? undefined : `${unix ?? origin} answers ${response.status}`;
  } catch (error) {
    return `${unix ?? origin} does not answer (${error instanceof Error ? error.message : error})`;
  }
}

/** Who listens on all addresses is asked on loopback. */
function originOf({ hostname, port }: { readonly hostname: string; readonly port: number }): string {
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[hostname] ?? hostname;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
