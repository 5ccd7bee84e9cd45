import { describe, expect, test } from "bun:test";
import { Turnstile } from "../../src/session/turnstile.ts";

const never = new AbortController().signal;
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Work that lasts until it is ended; records the order in which it begins. */
function makeWork(turnstile: Turnstile) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const pass = (group: string, name: string, signal = never) =>
    turnstile.pass(group, signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  return { begun, pass, end: (name: string) => ends.get(name)?.() };
}

describe("the turnstile", () => {
  test("lets in as many as there are places, and the next in the order of coming", async () => {
    const { begun, pass, end } = makeWork(new Turnstile(2, () => 2));
    for (const name of ["a1", "a2", "a3", "a4"]) void pass("a", name);
    await settle();
    expect(begun).toEqual(["a1", "a2"]);
    end("a2");
    await settle();
    expect(begun).toEqual(["a1", "a2", "a3"]);
  });

  test("lets groups take turns, however long one's line is", async () => {
    const { begun, pass, end } = makeWork(new Turnstile(1, () => 1));
    for (const name of ["a1", "a2", "a3"]) void pass("a", name);
    void pass("b", "b1");
    await settle();
    end("a1");
    await settle();
    expect(begun).toEqual(["a1", "b1"]);
    end("b1");
    await settle();
    expect(begun).toEqual(["a1", "b1", "a2"]);
  });

  test("keeps places free for others than the group that has its share", async () => {
    const { begun, pass } = makeWork(new Turnstile(4, () => 2));
    for (const name of ["a1", "a2", "a3"]) void pass("a", name);
    void pass("b", "b1");
    await settle();
    expect(begun).toEqual(["a1", "a2", "b1"]);
  });

  test("gives a place back when the work fails, and none to who has gone", async () => {
    const turnstile = new Turnstile(1, () => 1);
    const gone = new AbortController();
    const failing = turnstile.pass("a", never, () => Promise.reject(new Error("failed")));
    const leaving = turnstile.pass("a", gone.signal, () => Promise.resolve("late"));
    gone.abort(new Error("gone"));
    const outcomes = await Promise.allSettled([failing, leaving]);
    expect(outcomes.map((outcome) => outcome.status === "rejected" && String(outcome.reason))).toEqual([
      "Error: failed",
      "Error: gone",
    ]);
    expect(await turnstile.pass("a", never, () => Promise.resolve("in"))).toBe("in");
  });
});
