/** What somebody without an account, or with only his own, must not be able to do to the others. */

import { afterEach, describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { ServerBudget } from "../../src/session/server-budget.ts";
import { credentialsOf, type FakeLogins, makeFakeLogins } from "../support/fake-logins.ts";
import { openThrottle } from "../support/open-throttle.ts";

const [home, elsewhere] = ["192.0.2.1", "192.0.2.2"];
const [alice, carol] = ["alice@example.com", "carol@example.com"];
const never = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const owned: FakeLogins[] = [];
afterEach(async () => {
  for (const { cache } of owned.splice(0)) await cache.close();
});
function make(...[overrides]: Parameters<typeof makeFakeLogins>): FakeLogins {
  const fake = makeFakeLogins(overrides);
  fake.passwords.set(alice, "right").set(carol, "right");
  owned.push(fake);
  return fake;
}

function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "in",
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

describe("who has only wrong passwords", () => {
  test("closes nobody's session when there is no more room", async () => {
    const { cache, closed } = make({ max: 1 });
    const session = await cache.open(credentialsOf(alice, "right"), home);
    for (let i = 0; i < 5; i++) {
      expect(await codeOf(cache.open(credentialsOf(`user${i}@example.com`, "guess"), elsewhere))).toBe(
        "credentials_rejected",
      );
    }
    expect([closed, session.live]).toEqual([[], true]);
  });

  test("takes no room with logins that hang", async () => {
    const fake = make({ max: 2 });
    fake.delay = ({ password }) => (password === "guess" ? new Promise(() => {}) : Promise.resolve());
    for (let i = 0; i < 20; i++) {
      void codeOf(fake.cache.open(credentialsOf(`user${i}@example.com`, "guess"), elsewhere));
    }
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
    expect(await codeOf(fake.cache.open(credentialsOf(carol, "right"), home))).toBe("in");
    expect(fake.closed).toEqual([]);
    fake.cache.giveUp();
  });

  test("cannot keep out who has logged in before with logins that hang", async () => {
    const fake = make({ verifyMs: 1 });
    await fake.cache.open(credentialsOf(alice, "right"), home);
    await wait(5);
    fake.delay = ({ password }) => (password === "guess" ? new Promise(() => {}) : Promise.resolve());
    for (let i = 0; i < 100; i++) {
      void codeOf(fake.cache.open(credentialsOf(`user${i}@example.com`, "guess"), elsewhere));
    }
    await turn();
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
    expect(fake.proofs).toEqual([alice]);
    fake.cache.giveUp();
  });

  test("cannot hold the place of who has logged in before with a guess that waits", async () => {
    const fake = make({ throttle: { ...openThrottle, serverFailures: 8, serverFailuresBurst: 4 } });
    await (await fake.cache.open(credentialsOf(alice, "right"), home)).close("the test ends it");
    await turn();
    fake.delay = ({ password }) => (password === "guess" ? new Promise(() => {}) : Promise.resolve());
    for (let i = 0; i < 10; i++) {
      void codeOf(fake.cache.open(credentialsOf(`user${i}@example.com`, "guess"), elsewhere));
    }
    void codeOf(fake.cache.open(credentialsOf(alice, "guess"), elsewhere));
    await turn();
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
    expect(fake.cache.size).toBe(11);
    fake.cache.giveUp();
  });

  test("cannot hold the places of another server's newcomers with logins that hang", async () => {
    const limits = { serverFailures: 8, serverFailuresBurst: 4 };
    const serverOf = (domain: string) => (domain.startsWith("slow") ? "192.0.2.8 5222" : "192.0.2.9 5222");
    const fake = make({ domains: () => 3, serverOf, throttle: { ...openThrottle, ...limits } });
    fake.connectedTo = serverOf;
    fake.delay = ({ account }) => (account.domain.startsWith("slow") ? new Promise(() => {}) : Promise.resolve());
    for (let i = 0; i < 100; i++) {
      void codeOf(fake.cache.open(credentialsOf(`user${i}@slow${i % 2}.example.com`, "guess"), elsewhere));
    }
    await turn();
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
    fake.cache.giveUp();
  });

  test("learns nothing from who is let in while others have to wait", async () => {
    const limits = { addressPerMinute: 10, addressPerDay: 50, accountPerHour: 100 };
    const throttle = { ...openThrottle, ...limits, serverFailures: 8, serverFailuresBurst: 4 };
    const fake = make({ throttle });
    await fake.cache.open(credentialsOf(alice, "right"), home);
    fake.delay = async () => void (await turn());
    const passwords = [...Array.from({ length: 999 }, (_, index) => `guess ${index}`), "right"];
    const guesses = passwords.map((password) => codeOf(fake.cache.open(credentialsOf(alice, password), elsewhere)));
    const codes = await Promise.all(guesses);
    expect(codes.at(-1)).toBe(codes.at(-2) ?? "");
    expect(codes.at(-1)).not.toBe("in");
    expect(fake.cache.current(credentialsOf(alice, "right"), elsewhere)).toBeUndefined();
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
  });

  test("learns little at the address where the account is used", async () => {
    const limits = { addressPerMinute: 10, addressPerDay: 50, accountPerHour: 100 };
    const throttle = { ...openThrottle, ...limits, serverFailures: 8, serverFailuresBurst: 4 };
    const fake = make({ throttle });
    const login = (password: string) => {
      const credentials = credentialsOf(alice, password);
      try {
        fake.cache.admit(credentials, home);
      } catch (error) {
        return Promise.resolve((error as Failure).code);
      }
      return codeOf(Promise.resolve(fake.cache.current(credentials, home) ?? fake.cache.open(credentials, home)));
    };
    expect(await login("right")).toBe("in");
    // An old password, again and again, is one guess.
    for (let nth = 0; nth < 300; nth++) await login("old");
    for (let nth = 0; nth < 90; nth++) await login(`guess ${nth}`);
    expect(await login("right")).toBe("in");
    for (let nth = 90; nth < 110; nth++) await login(`guess ${nth}`);
    expect(await login("right")).toBe(await login("another guess"));
    expect(fake.proofs.length).toBeLessThanOrEqual(4);
  });

  test("is held back by his address also where all guesses come at once", async () => {
    const throttle = { ...openThrottle, addressPerMinute: 10, addressPerDay: 50, accountPerHour: 100 };
    const fake = make({ throttle });
    await fake.cache.open(credentialsOf(alice, "right"), home);
    fake.delay = async () => void (await turn());
    const guesses = Array.from({ length: 1_000 }, (_, index) => credentialsOf(alice, `guess ${index}`));
    await Promise.all(guesses.map((guess) => codeOf(fake.cache.open(guess, elsewhere))));
    expect(fake.proofs.length).toBeGreaterThanOrEqual(10);
    expect(fake.proofs.length).toBeLessThanOrEqual(10 + 32);
  });

  test("and has to wait is not told by the lack of a 429 which guess is right", async () => {
    const { cache } = make({ throttle: { ...openThrottle, addressPerMinute: 3 } });
    const office = "192.0.2.3";
    await cache.open(credentialsOf(alice, "right"), home);
    // From there she was served by the session that was open.
    await cache.open(credentialsOf(alice, "right"), office);
    for (const address of [home, office, elsewhere]) {
      for (let i = 0; i < 3; i++) await codeOf(cache.open(credentialsOf(alice, `guess ${i} ${address}`), address));
      expect(() => cache.admit(credentialsOf(alice, "another guess"), address)).toThrow("Too many logins");
    }
    expect(() => cache.admit(credentialsOf(alice, "right"), elsewhere)).toThrow("Too many logins");
    // Where it has worked, its owner is not locked out.
    for (const address of [home, office]) cache.admit(credentialsOf(alice, "right"), address);
  });

  test("behind the same address keeps nobody out whose password has worked and has to be proven again", async () => {
    const { cache } = make({ verifyMs: 20, throttle: { ...openThrottle, addressPerMinute: 1, accountPerHour: 2 } });
    const credentials = credentialsOf(alice, "right");
    const session = await cache.open(credentials, home);
    await codeOf(cache.open(credentialsOf(alice, "guess"), home));
    await wait(25);
    cache.admit(credentials, home);
    expect(await cache.open(credentials, home)).toBe(session);
    await session.close("the test ends it");
    cache.admit(credentials, home);
    expect(await codeOf(cache.open(credentials, home))).toBe("in");
  });

  test("puts no pause on an account by waiting in vain for a turn in its name", async () => {
    const fake = make({ loginConcurrency: 1, loginTimeoutMs: 30 });
    fake.delay = ({ password }) => (password === "right" ? Promise.resolve() : new Promise(() => {}));
    const blocking = codeOf(fake.cache.open(credentialsOf("slow@example.com", "guess"), elsewhere));
    const attempts = Array.from({ length: 5 }, (_, i) =>
      codeOf(fake.cache.open(credentialsOf(alice, `guess ${i}`), elsewhere)),
    );
    expect(new Set(await Promise.all([blocking, ...attempts]))).toEqual(new Set(["login_timeout"]));
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
  });

  test("cannot fill the log with logins that were not tried", async () => {
    const fake = make({ throttle: { ...openThrottle, serverFailures: 2 } });
    for (let i = 0; i < 50; i++) {
      await codeOf(fake.cache.open(credentialsOf(`user${i}@example.com`, "guess"), elsewhere));
    }
    expect(fake.logged.filter((msg) => msg === "login failed").length).toBe(2);
    expect(fake.logged.filter((msg) => /leave this machine alone/.test(msg)).length).toBe(1);
  });

  test("does not learn that an account exists from its session's fate", async () => {
    const fake = make();
    for (let i = 0; i < 2; i++) {
      await fake.cache.open(credentialsOf(alice, "right"), home);
      fake.events.get(alice)?.lost(new Failure("session_replaced", "Another one."));
      await turn();
    }
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "guess"), elsewhere))).toBe("credentials_rejected");
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), elsewhere))).toBe("session_replaced");
    expect(fake.logins).toEqual([alice, alice]);
  });
});

describe("one account's trouble", () => {
  test("with the server's policy is not its neighbours'", async () => {
    const { cache, events } = make();
    await cache.open(credentialsOf(alice, "right"), home);
    events.get(alice)?.lost(new Failure("server_policy", "Kicked."));
    await turn();
    expect(await codeOf(cache.open(credentialsOf(alice, "right"), home))).toBe("server_policy");
    expect(await codeOf(cache.open(credentialsOf(carol, "right"), home))).toBe("in");
  });
});

describe("an old password", () => {
  test("whose proof comes in late does not get into the session of the new one", async () => {
    const fake = make({ verifyMs: 20 });
    await fake.cache.open(credentialsOf(alice, "right"), home);
    await wait(25);
    const late = Promise.withResolvers<void>();
    const onStage = Promise.withResolvers<void>();
    // The server has accepted it; that it says so is delayed.
    let proofs = 0;
    fake.delay = async ({ password }) => {
      if (password !== "right") return;
      proofs += 1;
      if (proofs === 1) {
        onStage.resolve();
        await late.promise;
      }
      fake.passwords.set(alice, proofs === 1 ? "right" : "new");
    };
    const old = codeOf(fake.cache.open(credentialsOf(alice, "right"), home));
    await onStage.promise;
    fake.events.get(alice)?.lost(new Failure("login_expired", "Reset."));
    await turn();
    fake.passwords.set(alice, "new");
    const session = await fake.cache.open(credentialsOf(alice, "new"), home);
    late.resolve();
    expect(await old).toBe("credentials_rejected");
    expect(await fake.cache.open(credentialsOf(alice, "new"), home)).toBe(session);
  });
});

describe("a login that was overtaken by who has logged in before, and has the right password after all", () => {
  test.each([
    ["is closed where the account has a session by then", true],
    ["becomes the account's session where that has ended", false],
  ])("%s", async (_, stays) => {
    const fake = make();
    await (await fake.cache.open(credentialsOf(alice, "right"), home)).close("the test ends it");
    await turn();
    const door = Promise.withResolvers<void>();
    fake.delay = ({ password }) => (password === "new" ? door.promise : Promise.resolve());
    const late = fake.cache.open(credentialsOf(alice, "new"), elsewhere);
    await turn();
    const session = await fake.cache.open(credentialsOf(alice, "right"), home);
    if (!stays) await session.close("the test ends it");
    await turn();
    fake.passwords.set(alice, "new");
    door.resolve();
    expect((await late) === session).toBe(stays);
    expect((await late).live).toBe(true);
    expect(fake.cache.size).toBe(1);
    expect(fake.closed.length).toBe(2);
    expect(await fake.cache.open(credentialsOf(alice, stays ? "right" : "new"), stays ? home : elsewhere)).toBe(
      await late,
    );
  });
});

describe("the budget of failures at a server", () => {
  const rejected = () => Promise.reject(new Failure("credentials_rejected", "No."));

  test("lets everybody who waits go on after a success, also where there was room for one alone", async () => {
    const budget = new ServerBudget({ serverFailures: 4, serverFailuresBurst: 4 }, () => {});
    for (let i = 0; i < 3; i++) await codeOf(budget.spend("s", never, rejected));
    let underWay = 0;
    let most = 0;
    const login = async () => {
      most = Math.max(most, ++underWay);
      await turn();
      underWay -= 1;
    };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("It waited in vain.")), 1000);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => codeOf(budget.spend("s", late.signal, login))));
    clearTimeout(timer);
    expect(new Set(outcomes)).toEqual(new Set(["in"]));
    expect(most).toBe(4);
  });

  test("is not exceeded when many logins end at the same moment", async () => {
    const budget = new ServerBudget({ serverFailures: 4, serverFailuresBurst: 4 }, () => {});
    let failures = 0;
    const started: (() => void)[] = [];
    const login = () =>
      new Promise<never>((_, reject) => {
        started.push(() => {
          failures += 1;
          reject(new Failure("credentials_rejected", "No."));
        });
      });
    const outcomes = Array.from({ length: 30 }, () => codeOf(budget.spend("s", never, login)));
    await turn();
    for (const end of started.splice(0)) end();
    const codes = await Promise.all(outcomes);
    expect(failures).toBe(4);
    expect(codes.filter((code) => code === "logins_paused").length).toBe(26);
  });

  test.each([
    ["known", () => "192.0.2.9 5222"],
    ["not known before", () => undefined],
  ])("is one for all domains of a server that is %s", async (_, serverOf) => {
    const fake = make({ serverOf, throttle: { ...openThrottle, serverFailures: 4, serverFailuresBurst: 4 } });
    fake.connectedTo = () => "192.0.2.9 5222";
    const guesses = Array.from({ length: 60 }, (_, index) =>
      codeOf(fake.cache.open(credentialsOf(`user${index}@${index % 3}.example.com`, "guess"), elsewhere)),
    );
    const codes = await Promise.all(guesses);
    expect(fake.logins.length).toBe(4);
    expect(codes.filter((code) => code === "credentials_rejected").length).toBe(4);
    expect(codes.filter((code) => code === "logins_paused").length).toBe(56);
  });

  test("once spent, has nothing connected for who may be guessing, and lets in who has logged in before", async () => {
    const fake = make({ verifyMs: 1, throttle: { ...openThrottle, serverFailures: 2, serverFailuresBurst: 2 } });
    await fake.cache.open(credentialsOf(alice, "right"), home);
    for (const guess of ["one", "two"]) await codeOf(fake.cache.open(credentialsOf(carol, guess), elsewhere));
    const before = fake.connections;
    expect(await codeOf(fake.cache.open(credentialsOf(carol, "three"), elsewhere))).toBe("logins_paused");
    expect(fake.connections).toBe(before);
    await wait(5);
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("in");
    expect(fake.proofs).toEqual([alice]);
    // Which is a success at that server.
    expect(await codeOf(fake.cache.open(credentialsOf(carol, "right"), home))).toBe("in");
  });

  test("is not what a login was waiting for whose connection was slow: a server that hangs is left alone", async () => {
    const fake = make({ loginTimeoutMs: 200 });
    fake.connect = async () => void (await wait(120));
    fake.delay = () => new Promise(() => {});
    for (let nth = 0; nth < 2; nth++) {
      expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("login_timeout");
    }
    const before = fake.connections;
    expect(await codeOf(fake.cache.open(credentialsOf(alice, "right"), home))).toBe("login_timeout");
    expect(fake.connections).toBe(before);
  });

  test("is not exceeded by the old passwords of one account", async () => {
    const fake = make({ throttle: { ...openThrottle, serverFailures: 8, serverFailuresBurst: 4 } });
    for (let nth = 0; nth < 25; nth++) {
      fake.passwords.set(alice, `password ${nth}`);
      await fake.cache.open(credentialsOf(alice, `password ${nth}`), elsewhere);
    }
    const before = fake.proofs.length;
    const old = Array.from({ length: 24 }, (_, nth) => credentialsOf(alice, `password ${nth}`));
    await Promise.all(old.map((credentials) => codeOf(fake.cache.open(credentials, elsewhere))));
    expect(fake.proofs.length - before).toBe(4);
  });

  test("is not waited for on a connection that has ended, and nobody is blamed for that", async () => {
    const fake = make({ throttle: { ...openThrottle, serverFailures: 2, serverFailuresBurst: 1 } });
    const door = Promise.withResolvers<void>();
    fake.delay = () => door.promise;
    const first = codeOf(fake.cache.open(credentialsOf(alice, "right"), home));
    await turn();
    fake.streamEnds = new AbortController();
    const waiting = codeOf(fake.cache.open(credentialsOf(carol, "right"), home));
    await turn();
    fake.streamEnds.abort(new Failure("server_policy", "You are too slow."));
    expect(await waiting).toBe("server_policy");
    fake.streamEnds = undefined;
    door.resolve();
    expect(await first).toBe("in");
    expect(await codeOf(fake.cache.open(credentialsOf(carol, "right"), home))).toBe("in");
  });

  test("is waited for with a connection that is there already, so that SASL alone goes one after another", async () => {
    const fake = make({ throttle: { ...openThrottle, serverFailures: 2, serverFailuresBurst: 2 } });
    const doors: (() => void)[] = [];
    fake.delay = () => new Promise((resolve) => doors.push(resolve));
    const users = Array.from({ length: 10 }, (_, index) => `user${index}@example.com`);
    for (const user of users) fake.passwords.set(user, "right");
    const logins = users.map((user) => codeOf(fake.cache.open(credentialsOf(user, "right"), home)));
    await turn();
    expect([fake.connections, fake.logins.length]).toEqual([10, 2]);
    while (fake.logins.length < users.length || doors.length > 0) {
      for (const open of doors.splice(0)) open();
      await turn();
    }
    expect(new Set(await Promise.all(logins))).toEqual(new Set(["in"]));
    expect(fake.mostUnderWay).toBe(2);
  });
});
