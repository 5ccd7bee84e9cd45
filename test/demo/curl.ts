/** The real curl, as a user runs it. */

import { join } from "node:path";
import { runToEnd } from "../support/child-process.ts";
import type { TempFolder } from "../support/temp-folder.ts";

export interface CurlReply {
  /** "HTTP/1.1 201 Created" */
  readonly statusLine: string;
  readonly body: string;
}

/** Rejects when curl got no reply at all. */
export async function runCurl(words: readonly string[], folder: TempFolder): Promise<CurlReply> {
  const [curl = "curl", ...rest] = words;
  const headers = join(folder.path, "reply-headers");
  // None of these changes the request: no progress meter, the reply's head in a file, and no proxy or .curlrc of the user.
  const quiet = [
    "--disable",
    "--silent",
    "--show-error",
    "--noproxy",
    "*",
    "--max-time",
    "30",
    "--dump-header",
    headers,
  ];
  const body = await runToEnd([curl, ...quiet, ...rest]);
  const [statusLine = ""] = (await Bun.file(headers).text()).split("\r\n");
  return { statusLine, body };
}

/** The words as they are typed into a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  // In double quotes an interactive bash expands "!", but not before the closing quote.
  return /["$`\\]|!(?!$)/.test(word) ? `'${word.replaceAll("'", `'\\''`)}'` : `"${word}"`;
}
