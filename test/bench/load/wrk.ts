/** wrk, the load generator: keeps so many requests under way, each on a connection of its own. */

import { join } from "node:path";
import { runToEnd } from "../../support/child-process.ts";
import { makeTempFolder } from "../../support/temp-folder.ts";

const script = join(import.meta.dir, "post.lua");
const timeout = "30s";

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly body: string;
  readonly contentType: string;
  /** user-id:password, or several that take turns. */
  readonly users: string | readonly string[];
  /** The mean pause of a connection between an answer and its next request; needs several users. Default: none. */
  readonly pauseMs?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Answered with 400 or more. */
  readonly refused: number;
}

/** Rejects where a connection breaks, or (unless `refusals` may be) a request is not answered with success. */
export async function runWrk(load: Load, refusals = false): Promise<LoadResult> {
  const folder = await makeTempFolder("post-msg-wrk-");
  try {
    const body = await folder.write("body", load.body);
    const [first = ""] = [load.users].flat();
    const many =
      typeof load.users === "string" ? [] : [await folder.write("users", `${load.users.map(basic).join("\n")}\n`)];
    const output = await runToEnd([
      ...["wrk", "--threads", "1", "--connections", String(load.connections), "--duration", `${load.seconds}s`],
      ...["--timeout", timeout, "--script", script],
      ...["--header", `Authorization: ${basic(first)}`, "--header", `Content-Type: ${load.contentType}`],
      ...[load.url, "--", body, ...many, ...(load.pauseMs === undefined ? [] : [String(load.pauseMs)])],
    ]);
    const result: LoadResult & { broken: number } = JSON.parse(output.trim().split("\n").at(-1) ?? "");
    if (result.broken > 0 || (result.refused > 0 && !refusals) || result.requests === 0) {
      throw new Error(`${load.url} at ${load.connections} connections: ${JSON.stringify(result)}`);
    }
    return result;
  } finally {
    await folder.remove();
  }
}

function basic(user: string): string {
  return `Basic ${Buffer.from(user).toString("base64")}`;
}
