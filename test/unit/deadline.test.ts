/** Waiting with a limit, and no longer than the caller cares. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { step, withAbort, withTimeLimit } from "../../src/xmpp/deadline.ts";

const never = new Promise<never>(() => {});
const neverAborted = new AbortController().signal;
const reason = new Failure("shutting_down", "The gateway is being stopped.");

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** A signal's listeners, as they come and go. */
function watchListeners(signal: AbortSignal): Set<unknown> {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  Object.assign(signal, {
    addEventListener: (...args: Parameters<typeof addEventListener>) => {
      listeners.add(args[1]);
      addEventListener.apply(signal, args);
    },
    removeEventListener: (...args: Parameters<typeof removeEventListener>) => {
      listeners.delete(args[1]);
      removeEventListener.apply(signal, args);
    },
  });
  return listeners;
}

describe("a step of a login", () => {
  test("hands on what its work returns or throws", async () => {
    expect(await step("the work", "example.com", 1_000, neverAborted, async () => 7)).toBe(7);
    expect(await rejection(step("the work", "example.com", 1_000, neverAborted, () => Promise.reject(reason)))).toBe(
      reason,
    );
  });

  test("is given up when it is late, and its work is told", async () => {
    let told: unknown;
    const work = (limit: AbortSignal) => {
      limit.addEventListener("abort", () => {
        told = limit.reason;
      });
      return never;
    };
    const error = await rejection(step("the TLS handshake", "example.com", 5, neverAborted, work));
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: "login_timeout" });
    expect(String(error)).toContain("the TLS handshake");
    expect(told).toBe(error);
  });

  test("ends with the caller's reason, even if its work has something else to say", async () => {
    const controller = new AbortController();
    const work = (limit: AbortSignal) =>
      new Promise<never>((_, reject) => limit.addEventListener("abort", () => reject(new Error("aborted"))));
    const waiting = step("the work", "example.com", 1_000, controller.signal, work);
    controller.abort(reason);
    expect(await rejection(waiting)).toBe(reason);
  });

  test("is not begun after the signal has aborted", async () => {
    let begun = false;
    const work = async () => {
      begun = true;
    };
    expect(await rejection(step("the work", "example.com", 1_000, AbortSignal.abort(reason), work))).toBe(reason);
    expect(begun).toBe(false);
  });
});

describe("no listener stays on the signal", () => {
  const ends: readonly [string, () => Promise<unknown>][] = [
    ["success", async () => 1],
    ["failure", () => Promise.reject(reason)],
    ["a late end", () => never],
    [
      "an exception",
      () => {
        throw reason;
      },
    ],
  ];
  test.each(ends)("after %s of work with a time limit", async (_, work) => {
    const { signal } = new AbortController();
    const listeners = watchListeners(signal);
    await rejection(withTimeLimit(5, signal, () => reason, work));
    expect([...listeners]).toEqual([]);
  });

  test("after a wait that ends by itself", async () => {
    const { signal } = new AbortController();
    const listeners = watchListeners(signal);
    expect(await withAbort<number>(signal, (resolve) => resolve(3))).toBe(3);
    expect(await rejection(withAbort(signal, (_, reject) => reject(reason)))).toBe(reason);
    expect([...listeners]).toEqual([]);
  });
});
