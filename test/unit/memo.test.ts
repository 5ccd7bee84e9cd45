/** What is remembered, and for how long. */

import { expect, test } from "bun:test";
import { remember } from "../../src/memo.ts";
import { eventually } from "../support/wait.ts";

function counting(most: number, longest = 10, keepMs?: number) {
  const asked: string[] = [];
  const ask = remember(
    (text) => {
      asked.push(text);
      if (text === "bad") throw new Error("no");
      return { text };
    },
    { most, longest, ...(keepMs === undefined ? {} : { keepMs }) },
  );
  return { ask, asked };
}

test("a text is worked on once, as long as it is among the last ones", () => {
  const { ask, asked } = counting(2);
  expect(ask("a")).toBe(ask("a"));
  ask("b");
  ask("c");
  ask("a");
  expect(asked).toEqual(["a", "b", "c", "a"]);
});

test("what is used stays while others come and go", () => {
  const { ask, asked } = counting(10);
  for (let nth = 0; nth < 100; nth++) {
    ask("often");
    ask(`once ${nth}`);
  }
  expect(asked.filter((text) => text === "often")).toHaveLength(1);
});

test("what nobody asks for is forgotten, and is garbage then", async () => {
  const { ask } = counting(10, 10, 20);
  const kept = new WeakRef(ask("once"));
  await eventually(
    () => {
      Bun.gc(true);
      return kept.deref() === undefined;
    },
    5_000,
    "it to be gone",
  );
});

test("a failure and a long text are not remembered", () => {
  const { ask, asked } = counting(2);
  expect(() => ask("bad")).toThrow("no");
  expect(() => ask("bad")).toThrow("no");
  ask("longer than ten");
  ask("longer than ten");
  expect(asked).toHaveLength(4);
});

test("a lone surrogate stays one", () => {
  const { ask } = counting(2);
  expect(ask("a\uD800").text).toBe("a\uD800");
});

test("a piece of a large text does not keep the whole", async () => {
  const count = 300;
  const bytes = 1024 * 1024;
  const { ask } = counting(count, 100);
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  for (let nth = 0; nth < count; nth++) ask(Buffer.alloc(bytes, `${nth}`.padEnd(10, "x")).toString().slice(0, 80));
  const kept = () => {
    Bun.gc(true);
    return process.memoryUsage.rss() - before;
  };
  await eventually(() => kept() < (count * bytes) / 3, 5_000, "the memory to be free");
});
