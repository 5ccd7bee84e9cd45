/** A journal that stands still: nobody reads standard error, and the gateway goes on. */

import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { runToEnd } from "../support/child-process.ts";
import { writeConfig } from "../support/gateway-config.ts";
import { makeTempFolder } from "../support/temp-folder.ts";
import { eventually, within } from "../support/wait.ts";

const main = join(import.meta.dir, "../../src/main.ts");
/** More than a pipe, and what waits for it, can hold. */
const requests = 12_000;
const atATime = 50;

test("whose standard error nobody reads answers all the same, and says later how much it has left out", async () => {
  const folder = await makeTempFolder("post-msg-stuck-");
  const pipe = join(folder.path, "stderr");
  await runToEnd(["mkfifo", pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  // Of its own, so that the gateway's waits as pipes do.
  const writer = openSync(pipe, constants.O_WRONLY);
  const file = await writeConfig(folder, { hosts: { "example.com": {} }, settings: { log: { format: "json" } } });
  const child = Bun.spawn([process.execPath, main, "serve", "--config", file], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: writer,
  });
  try {
    const url = await within(20_000, "the gateway to be ready", readUrl(child.stdout));
    const ask = async () => (await fetch(`${url}/bob@example.com`, { method: "POST", body: "hi" })).status;
    for (let sent = 0; sent < requests; sent += atATime) {
      const statuses = await within(5_000, "answers", Promise.all(Array.from({ length: atATime }, ask)));
      expect(statuses).toEqual(Array(atATime).fill(401));
    }

    let log = "";
    const chunk = Buffer.alloc(64 * 1024);
    const read = () => {
      for (;;) {
        try {
          const length = readSync(reader, chunk);
          if (length === 0) return;
          log += chunk.toString("utf8", 0, length);
        } catch {
          return; // There is nothing at the moment.
        }
      }
    };
    const lostLines = () => /"lines":(\d+),"msg":"lines of the log were left out/.exec(log)?.[1];
    await eventually(
      () => {
        read();
        return lostLines() !== undefined;
      },
      10_000,
      "the line that tells of those left out",
    );
    const lines = log.trimEnd().split("\n");
    const answered = lines.map((line) => JSON.parse(line)).filter(({ status }) => status === 401).length;
    expect(answered).toBeGreaterThan(1_000);
    expect(answered + Number(lostLines())).toBe(requests);

    // And it ends, though what it says last finds no room.
    for (let sent = 0; sent < 1_000; sent += atATime) await Promise.all(Array.from({ length: atATime }, ask));
    child.kill("SIGTERM");
    expect(await within(10_000, "the gateway to end", child.exited)).toBe(0);
  } finally {
    child.kill("SIGKILL");
    closeSync(reader);
    closeSync(writer);
    await folder.remove();
  }
}, 60_000);

async function readUrl(output: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of output) {
    text += decoder.decode(part, { stream: true });
    const [, url] = / listens on (\S+)\n/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`It ended before it was ready: ${text}`);
}
