/** When a session looks at its deadlines. */

import { expect, test } from "bun:test";
import { Deadlines } from "../../src/session/deadlines.ts";
import { eventually } from "../support/wait.ts";

const acknowledgedAfterMs = 5_000;

function watch() {
  const happened: string[] = [];
  const deadlines = new Deadlines(acknowledgedAfterMs, () => happened.push("check"));
  const entry = { deadlineMs: 0 };
  deadlines.give(entry as Parameters<Deadlines["give"]>[0], 2_000);
  return { deadlines, happened, entry };
}

test("a deadline grows with the bytes that are on their way", () => {
  const { deadlines, entry } = watch();
  deadlines.stop();
  const left = entry.deadlineMs - performance.now();
  expect(left).toBeWithin(acknowledgedAfterMs, acknowledgedAfterMs + 1_001);
});

test("after a standstill of the process, what else is due comes first", async () => {
  const { deadlines, happened } = watch();
  Bun.sleepSync(1_100);
  setTimeout(() => happened.push("something else"), 1);
  await eventually(() => happened.includes("check"), 5_000, "a check");
  deadlines.stop();
  expect(happened.slice(0, 2)).toEqual(["something else", "check"]);
});

test("a process that crawls checks all the same", async () => {
  const { deadlines, happened } = watch();
  for (let turn = 0; turn < 2; turn++) {
    Bun.sleepSync(1_100);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  deadlines.stop();
  expect(happened).toContain("check");
});
