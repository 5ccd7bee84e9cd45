/** Lines on their way to a pipe that is full, to a file, and to nobody. */

import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { openStandardError } from "../../src/standard-error.ts";
import { runToEnd } from "../support/child-process.ts";
import { makeTempFolder } from "../support/temp-folder.ts";
import { eventually } from "../support/wait.ts";

const line = (nth: number) => `${String(nth).padStart(6, "0")} ${"x".repeat(192)}\n`;

async function makePipe() {
  const folder = await makeTempFolder("post-msg-stderr-");
  const path = join(folder.path, "pipe");
  await runToEnd(["mkfifo", path]);
  const openReader = () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let reader = openReader();
  const writer = openSync(path, constants.O_WRONLY);
  const chunk = Buffer.alloc(64 * 1024);
  let text = "";
  return {
    writer,
    /** All that has come by now. */
    read() {
      try {
        for (;;) text += chunk.toString("utf8", 0, readSync(reader, chunk));
      } catch {
        return text; // There is nothing more at the moment.
      }
    },
    leave: () => closeSync(reader),
    comeBack() {
      reader = openReader();
    },
    async [Symbol.asyncDispose]() {
      for (const descriptor of [reader, writer]) closeSync(descriptor);
      await folder.remove();
    },
  };
}

test("what a full pipe does not take waits, in order; what is too much is counted", async () => {
  await using pipe = await makePipe();
  const lost: number[] = [];
  const out = openStandardError((lines) => lost.push(lines), pipe.writer);
  const count = 10_000;
  for (let nth = 0; nth < count; nth++) out.write(line(nth));
  out.flush();
  out.flush();
  expect(lost).toEqual([]);
  await eventually(() => pipe.read() !== "" && lost.length > 0, 10_000, "room in the pipe");
  const lines = pipe.read().trimEnd().split("\n");
  expect(lines.map((each) => Number(each.slice(0, 6)))).toEqual(lines.map((_, nth) => nth));
  expect(lines.length).toBeGreaterThan(5_000);
  expect(lines.length + (lost[0] ?? 0)).toBe(count);
});

test("the lines of a turn leave together, without being told to", async () => {
  await using pipe = await makePipe();
  const out = openStandardError(() => {}, pipe.writer);
  out.write("a\n");
  out.write("b\n");
  expect(pipe.read()).toBe("");
  await eventually(() => pipe.read() === "a\nb\n", 5_000, "both lines");
});

test("a file takes everything at once", async () => {
  const folder = await makeTempFolder("post-msg-stderr-");
  const path = await folder.write("log", "");
  const descriptor = openSync(path, "a");
  const out = openStandardError(() => {}, descriptor);
  for (let nth = 0; nth < 1_000; nth++) out.write(line(nth));
  out.flush();
  expect(readFileSync(path, "utf8").length).toBe(1_000 * line(0).length);
  closeSync(descriptor);
  await folder.remove();
});

test("what nobody could read is counted, and told to who reads again", async () => {
  await using pipe = await makePipe();
  const lost: number[] = [];
  const out = openStandardError((lines) => lost.push(lines), pipe.writer);
  const write = (text: string) => {
    out.write(text);
    out.flush();
  };
  pipe.leave();
  write("a\nb\n");
  write("c\n");
  expect(lost).toEqual([]);
  pipe.comeBack();
  write("d\n");
  expect([pipe.read(), lost]).toEqual(["d\n", [3]]);
});

test("where nobody can read, nothing is thrown", () => {
  const out = openStandardError(() => {}, 1_000_000);
  out.write("a\n");
  out.flush();
  out.write("b\n");
  out.flush();
});
