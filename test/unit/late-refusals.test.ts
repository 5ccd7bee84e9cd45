import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { createLateRefusalLog } from "../../src/session/late-refusals.ts";

test("late refusals are logged with their id, a thousand a minute, and then how many were not", () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  let nowMs = 0;
  const late = createLateRefusalLog(
    createLog({ level: "info", format: "json", destination }),
    "example.com",
    () => nowMs,
  );
  const failure = new Failure("item_not_found", "There is no such recipient.");
  for (let i = 0; i < 5_000; i++) late({ id: `${i}`, from: undefined, refusal: () => failure });
  expect(lines.length).toBe(1_000);
  expect(lines.at(-1)).toMatchObject({ msg: "late refusal", id: "999", code: "item_not_found", domain: "example.com" });
  nowMs = 60_000;
  late({ id: "x".repeat(1_000), from: undefined, refusal: () => failure });
  late({ id: "last", from: undefined, refusal: () => failure });
  expect(lines.slice(1_000)).toMatchObject([{ id: "x".repeat(128), unwritten: 4_000 }, { id: "last" }]);
  expect(lines.at(-1)).not.toHaveProperty("unwritten");
});
