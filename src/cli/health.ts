/** `post-msg health`: asks the process that serves, as a container runtime or a monitor does it every few seconds. */

import type { Config } from "../config.ts";
import { openConfigFile } from "./config-file.ts";
import { exitCodes, type Process } from "./process.ts";

const timeoutMs = 5_000;

/** Resolves to the exit code. */
export async function health(named: string | undefined, what: "live" | "ready", process: Process): Promise<number> {
  const opened = await openConfigFile(named, process);
  if (opened === undefined) return exitCodes.mistake;
  const { listen, tls } = opened.config.http;
  if ("port" in listen && listen.port === 0) {
    process.writeError(
      "post-msg: port 0 means any free one, so nobody can say where to ask; [http] listen needs a port.\n",
    );
    return exitCodes.mistake;
  }
  const answer = await ask(listen, tls === undefined ? "http" : "https", what);
  if (answer === undefined) {
    process.writeOutput(`${what}\n`);
    return exitCodes.good;
  }
  process.writeError(`post-msg: not ${what}: ${answer}\n`);
  return exitCodes.notHealthy;
}

/** Undefined: yes. Otherwise why not. */
async function ask(listen: Config["http"]["listen"], scheme: string, what: string): Promise<string | undefined> {
  const unix = "unixPath" in listen ? listen.unixPath : undefined;
  const origin = `${scheme}://${"unixPath" in listen ? "localhost" : authorityOf(listen)}`;
  try {
    const response = await fetch(`${origin}/health/${what}`, {
      signal: AbortSignal.timeout(timeoutMs),
      // The certificate is for the name by which others know it; nothing secret is sent, and nothing believed but this.
      tls: { rejectUnauthorized: false },
      ...(unix === undefined ? {} : { unix }),
    });
    return response.ok ? undefined : `${unix ?? origin} answers ${response.status}`;
  } catch (error) {
    return `${unix ?? origin} does not answer (${whyNot(error)})`;
  }
}

/** The library's own words ask whether there was a typing error in the URL. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : error.name;
  if (code === "ENOENT") return "there is no such socket";
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "nobody listens there";
  return error.message;
}

/** Who listens on all addresses is asked on loopback. */
function authorityOf({ hostname, port }: { readonly hostname: string; readonly port: number }): string {
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[hostname] ?? hostname;
  return `${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
