import { describe, expect, test } from "bun:test";
import { type Code, Failure } from "../../src/errors.ts";
import { Pauses } from "../../src/session/pauses.ts";
import { jid } from "../support/jid.ts";

const [alice, carol, elsewhere] = [jid("alice@example.com"), jid("carol@example.com"), jid("eve@example.org")];

function start() {
  let nowMs = 1000;
  const pauses = new Pauses(() => nowMs);
  return {
    pauses,
    fail: (code: Code, account = alice) => pauses.failed(account, new Failure(code, "It went wrong.")),
    after: (ms: number) => {
      nowMs += ms;
    },
    end: (code: Code) => pauses.ended(alice, new Failure(code, "It was ended.")),
    pauseOf: (account = alice) => pauses.check(account)?.retryAfterSeconds ?? 0,
    restOf: (account = alice) => pauses.checkEnded(account)?.retryAfterSeconds ?? 0,
  };
}

describe("after a failure", () => {
  test("a connection is tried again at once the first time, then after pauses that grow to five seconds", () => {
    const { fail, after, pauseOf } = start();
    fail("stream_closed");
    expect(pauseOf()).toBe(0);
    const pauses: number[] = [];
    for (let failures = 2; failures < 12; failures++) {
      fail("stream_closed");
      pauses.push(pauseOf());
      after(5_000);
    }
    expect(pauses[0]).toBe(1);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(3);
  });

  test("a login that succeeds ends the pauses", () => {
    const { pauses, fail, pauseOf } = start();
    fail("login_timeout");
    fail("login_timeout");
    pauses.succeeded(alice);
    fail("login_timeout");
    expect(pauseOf()).toBe(0);
  });

  test("to reach a server, all accounts of the host wait, and no other host's", () => {
    const { fail, pauseOf } = start();
    fail("server_unreachable");
    fail("server_unreachable", carol);
    expect([pauseOf(alice), pauseOf(carol), pauseOf(elsewhere)]).toEqual([1, 1, 0]);
  });

  test("of one account's login, the others do not wait", () => {
    const { fail, pauseOf } = start();
    fail("server_busy");
    fail("server_busy");
    expect([pauseOf(alice), pauseOf(carol)]).toEqual([1, 0]);
  });

  test.each(["credentials_rejected", "certificate_expired", "host_unknown"] as const)(
    "%s, which only a person can mend, there is no pause",
    (code) => {
      const { fail, pauseOf } = start();
      for (let i = 0; i < 5; i++) fail(code);
      expect(pauseOf()).toBe(0);
    },
  );
});

test("what fails while a pause lasts was begun before it, and makes it no longer", () => {
  const { fail, after, pauseOf } = start();
  for (let i = 0; i < 100; i++) fail("server_policy", i % 2 === 0 ? alice : carol);
  expect(pauseOf()).toBe(60);
  after(60_000);
  for (let i = 0; i < 100; i++) fail("server_policy");
  expect(pauseOf()).toBe(120);
});

describe("an account whose session another one has replaced", () => {
  test("is connected once more, then not for five minutes, whatever logins succeed", () => {
    const { pauses, end, after, pauseOf, restOf } = start();
    end("session_replaced");
    expect(restOf()).toBe(0);
    pauses.succeeded(alice);
    end("session_replaced");
    expect(restOf()).toBe(300);
    after(299_000);
    expect(restOf()).toBe(1);
    after(1_000);
    expect(restOf()).toBe(0);
    expect(pauseOf()).toBe(0);
  });
});

test("an account whose session was ended by the server's policy rests alone", () => {
  const { end, pauseOf, restOf } = start();
  end("server_policy");
  expect([restOf(alice), restOf(carol), pauseOf(carol)]).toEqual([60, 0, 0]);
});

describe("a server whose policy is against us", () => {
  test("is left alone for a minute, then longer and longer, up to an hour", () => {
    const { fail, after, pauseOf } = start();
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      fail("server_policy");
      pauses.push(pauseOf(carol));
      after(pauseOf(carol) * 1000);
    }
    expect(pauses).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
  });

  test("is forgiven after a quiet time", () => {
    const { fail, after, pauseOf } = start();
    fail("server_policy");
    after(60_000 + 3_600_000 + 1);
    fail("server_policy");
    expect(pauseOf()).toBe(60);
  });
});

test("what is remembered is bounded, and the newest is kept", () => {
  const { pauses, fail } = start();
  fail("server_policy", elsewhere);
  for (let i = 0; i < 50_000; i++) {
    const account = jid(`user${i}@example.com`);
    pauses.failed(account, new Failure("server_busy", "Busy."));
    if (i === 49_999) pauses.failed(account, new Failure("server_busy", "Busy."));
  }
  expect(pauses.check(elsewhere)).toBeUndefined();
  expect(pauses.check(jid("user49999@example.com"))?.code).toBe("server_busy");
});
