import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { digestOf } from "../../src/session/credential.ts";
import { FailureLog } from "../../src/session/failure-log.ts";
import { ServerBudget } from "../../src/session/server-budget.ts";
import { Throttle } from "../../src/session/throttle.ts";
import { jid } from "../support/jid.ts";
import { openThrottle } from "../support/open-throttle.ts";

const never = new AbortController().signal;
const alice = jid("alice@example.com");
const digest = (password: string) => digestOf({ account: alice, password });

function makeThrottle(limits: Partial<typeof openThrottle>) {
  const clock = { nowMs: 1_000_000 };
  return { clock, throttle: new Throttle({ ...openThrottle, ...limits }, () => clock.nowMs) };
}

describe("the throttle", () => {
  test("lets an address fail so often a minute, then names the second at which it may go on", () => {
    const { throttle, clock } = makeThrottle({ addressPerMinute: 2 });
    throttle.failed(alice, digest("1"), "192.0.2.1");
    clock.nowMs += 10_000;
    throttle.failed(alice, digest("2"), "192.0.2.1");
    expect(throttle.check(alice, "192.0.2.1")).toMatchObject({ code: "throttled", retryAfterSeconds: 50 });
    expect(throttle.check(alice, "192.0.2.2")).toBeUndefined();
    clock.nowMs += 49_999;
    expect(throttle.check(alice, "192.0.2.1")?.retryAfterSeconds).toBe(1);
    clock.nowMs += 1;
    expect(throttle.check(alice, "192.0.2.1")).toBeUndefined();
  });

  test("counts over the day too", () => {
    const { throttle, clock } = makeThrottle({ addressPerMinute: 2, addressPerDay: 3 });
    for (let i = 0; i < 3; i++) {
      throttle.failed(alice, digest(`${i}`), "192.0.2.1");
      clock.nowMs += 60_000;
    }
    expect(throttle.check(alice, "192.0.2.1")?.retryAfterSeconds).toBe(86_400 - 180);
  });

  test("lets an account fail so often an hour, from wherever, but not lock out where it has logged in lately", () => {
    const { throttle } = makeThrottle({ accountPerHour: 3 });
    throttle.succeeded(alice, digest("right"), "192.0.2.9");
    for (let i = 0; i < 3; i++) throttle.failed(alice, digest(`${i}`), `192.0.2.${i}`);
    expect(throttle.check(alice, "192.0.2.77")).toMatchObject({ code: "throttled", retryAfterSeconds: 3600 });
    expect(throttle.check(alice, "192.0.2.9")).toBeUndefined();
    expect(throttle.check(jid("carol@example.com"), "192.0.2.77")).toBeUndefined();
  });

  test("remembers a failed password for a while, and not once it has succeeded", () => {
    const { throttle, clock } = makeThrottle({ rememberFailureMs: 300_000 });
    throttle.failed(alice, digest("old"), "192.0.2.1");
    expect([throttle.remembers(digest("old")), throttle.remembers(digest("new"))]).toEqual([true, false]);
    throttle.succeeded(alice, digest("old"), "192.0.2.1");
    expect(throttle.remembers(digest("old"))).toBe(false);
    throttle.failed(alice, digest("old"), "192.0.2.1");
    clock.nowMs += 300_000;
    expect(throttle.remembers(digest("old"))).toBe(false);
  });

  test("keeps its tables bounded, whoever comes", () => {
    const log = new FailureLog([{ count: 1, windowMs: 1000 }], 100);
    for (let i = 0; i < 1000; i++) log.failed(`${i}`, 0);
    expect(log.pauseOf("999", 0)).toBe(1000);
    expect(log.pauseOf("0", 0)).toBe(0);
  });
});

function makeBudget() {
  const clock = { nowMs: 1_000_000 };
  const spent: string[] = [];
  const limits = { serverFailures: 4, serverFailuresBurst: 2 };
  const budget = new ServerBudget(
    limits,
    (server) => spent.push(server),
    () => clock.nowMs,
  );
  const fail = () =>
    budget.spend("s", never, () => Promise.reject(new Failure("credentials_rejected", "No."))).catch((e: unknown) => e);
  const succeed = () => budget.spend("s", never, () => Promise.resolve("in")).catch((e: unknown) => e);
  return { budget, clock, spent, fail, succeed };
}

describe("the budget of failures at a server", () => {
  test("is spent by a burst, comes back after half a minute, and by the hour", async () => {
    const { clock, spent, fail, succeed } = makeBudget();
    await fail();
    await fail();
    expect(await succeed()).toMatchObject({ code: "logins_paused", retryAfterSeconds: 30 });
    clock.nowMs += 30_000;
    await fail();
    await fail();
    clock.nowMs += 30_000;
    expect(await succeed()).toMatchObject({ code: "logins_paused", retryAfterSeconds: 3540 });
    expect(spent).toEqual(["s"]);
  });

  test("is whole again after a success", async () => {
    const { fail, succeed } = makeBudget();
    await fail();
    expect(await succeed()).toBe("in");
    await fail();
    expect(await succeed()).toBe("in");
  });

  test("is not touched by what says nothing about the password", async () => {
    const { budget, succeed } = makeBudget();
    const unreachable = () => Promise.reject(new Failure("server_unreachable", "Down."));
    for (let i = 0; i < 10; i++) await budget.spend("s", never, unreachable).catch(() => {});
    expect(await succeed()).toBe("in");
  });

  test("lets no more unproven logins go at once than may fail, and the others as soon as it is known", async () => {
    const { budget, clock } = makeBudget();
    const doors: ((verdict: "right" | "wrong") => void)[] = [];
    const started: number[] = [];
    const outcomes = Array.from({ length: 5 }, (_, number) =>
      budget
        .spend("s", never, async () => {
          started.push(number);
          const verdict = await new Promise<string>((resolve) => doors.push(resolve));
          if (verdict === "wrong") throw new Failure("credentials_rejected", "No.");
          return "in";
        })
        .catch((error: unknown) => (error instanceof Failure ? error.code : error)),
    );
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    await settle();
    expect(started).toEqual([0, 1]);
    doors[0]?.("right");
    await settle();
    expect(started).toEqual([0, 1, 2]);
    doors[1]?.("wrong");
    doors[2]?.("wrong");
    expect(await Promise.all(outcomes)).toEqual([
      "in",
      "credentials_rejected",
      "credentials_rejected",
      "logins_paused",
      "logins_paused",
    ]);
    clock.nowMs += 30_000;
    expect(await budget.spend("s", never, () => Promise.resolve("in"))).toBe("in");
  });

  test("makes nobody wait longer than he will", async () => {
    const { budget } = makeBudget();
    const limit = new AbortController();
    for (let i = 0; i < 2; i++) void budget.spend("s", never, () => new Promise(() => {}));
    const waiting = budget.spend("s", limit.signal, () => Promise.resolve("in")).catch((error: unknown) => error);
    limit.abort(new Failure("login_timeout", "Late."));
    expect(await waiting).toMatchObject({ code: "login_timeout" });
  });
});
