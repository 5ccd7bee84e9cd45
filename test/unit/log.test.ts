/** What a log line looks like. */

import { expect, test } from "bun:test";
import { createLog, type LogFormat, type LogLevel } from "../../src/log.ts";

function collect(level: LogLevel, format: LogFormat) {
  const lines: string[] = [];
  const log = createLog({ level, format, destination: { write: (line) => lines.push(line) } });
  return { log, lines };
}

test("JSON holds time, level, fields and sentence, one event a line", () => {
  const { log, lines } = collect("debug", "auto");
  log.debug({ account: "a@example.com" }, "Connected.");
  log.error({}, "Two\nlines.");
  expect(lines).toHaveLength(2);
  expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  const event = JSON.parse(lines[0] ?? "");
  expect(event).toEqual({
    level: "debug",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    account: "a@example.com",
    msg: "Connected.",
  });
});

test("events below the level are left out", () => {
  const { log, lines } = collect("warn", "json");
  log.debug({}, "a");
  log.info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["c", "d"]);
});

test("an error is logged with its code, its stack and its chain of causes, and no other property", () => {
  const { log, lines } = collect("info", "json");
  const root = Object.assign(new TypeError("the root"), { password: "hunter2" });
  const middle = new Error("the middle", { cause: root });
  log.error({ err: Object.assign(new Error("the top", { cause: middle }), { code: "E_TOP" }) }, "Failed.");
  const { err } = JSON.parse(lines[0] ?? "");
  expect(err).toEqual({ type: "Error", message: "the top", code: "E_TOP", stack: expect.any(String) });
  expect(err.stack).toMatch(
    /the top[\s\S]*log\.test\.ts[\s\S]*caused by: [\s\S]*the middle[\s\S]*caused by: [\s\S]*the root/,
  );
  expect(lines[0]).not.toContain("hunter2");
});

test("a circle of causes and something thrown that is no error are logged all the same", () => {
  const { log, lines } = collect("info", "json");
  const circle = new Error("round");
  circle.cause = circle;
  log.error({ err: circle }, "Failed.");
  log.error({ err: "a string" }, "Failed.");
  log.error({ err: undefined }, "Failed.");
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[1] ?? "").err.message).toBe("a string");
});

test("pretty is for people: level, sentence, fields and the stack on lines of its own", () => {
  const { log, lines } = collect("info", "pretty");
  log.warn({ account: "a@example.com", err: new Error("why") }, "Careful.");
  expect(lines.join("")).toMatch(/WARN.*: Careful\.\n[\s\S]*account: "a@example.com"[\s\S]*Error: why\n\s+at /);
});
