/** How much of a password can be found out through the gateway, at which address and when; and what that costs its owner. */

import { afterEach, describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { ThrottleOptions } from "../../src/session/throttle.ts";
import { credentialsOf, type FakeLogins, makeFakeLogins } from "../support/fake-logins.ts";
import { openThrottle } from "../support/open-throttle.ts";

const [home, elsewhere, phone] = ["192.0.2.1", "192.0.2.2", "192.0.2.50"];
const [alice, carol] = ["alice@example.com", "carol@example.com"];
const devices = Array.from({ length: 30 }, (_, nth) => `198.51.100.${nth}`);
/** The settings' defaults. */
const limits = {
  addressPerMinute: 10,
  addressPerDay: 50,
  accountPerHour: 100,
  serverFailures: 8,
  serverFailuresBurst: 4,
};
const guesses = Array.from({ length: 999 }, (_, nth) => `guess ${nth}`);
const shortVerifyMs = 20;

const turn = () => new Promise((resolve) => setImmediate(resolve));
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const hangs = () => new Promise<void>(() => {});

let fake: FakeLogins;
function begin(
  overrides: Parameters<typeof makeFakeLogins>[0] = {},
  throttle: Partial<ThrottleOptions> = limits,
): void {
  fake = makeFakeLogins({ throttle: { ...openThrottle, ...throttle }, ...overrides });
  fake.passwords.set(alice, "right").set(carol, "right");
}
afterEach(async () => {
  fake.cache.giveUp();
  await fake.cache.close();
});

function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "in",
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  );
}

/** As a request goes: admitted, and a moment later, when its body is there, given a session. */
async function post(password: string, address: string, bare = alice): Promise<string> {
  const credentials = credentialsOf(bare, password);
  try {
    fake.cache.admit(credentials, address);
  } catch (error) {
    return error instanceof Failure ? error.code : String(error);
  }
  await turn();
  return openNow(password, address, bare);
}

/** Past `admit`, as with a body that was slow to come. */
function openNow(password: string, address: string, bare = alice): Promise<string> {
  const credentials = credentialsOf(bare, password);
  const current = fake.cache.current(credentials, address);
  return current === undefined ? codeOf(fake.cache.open(credentials, address)) : Promise.resolve("in");
}

/** It has logged in from home, and has no session. */
async function wasThere(): Promise<void> {
  await (await fake.cache.open(credentialsOf(alice, "right"), home)).close("the test ends it");
  await turn();
  fake.closed.length = 0;
}

/** Strangers' logins that hang keep the server's budget in use. */
async function keepBudgetInUse(): Promise<void> {
  fake.delay = ({ password }) => (password === "guess" ? hangs() : Promise.resolve());
  for (let nth = 0; nth < 10; nth++) void openNow("guess", elsewhere, `user${nth}@example.com`);
  await turn();
}

const soon = (attempt: Promise<string>) => Promise.race([attempt, wait(1_000).then(() => "waits")]);

describe("at the owner's own address the right password is not told from a thousand others", () => {
  test("that come at once", async () => {
    begin();
    expect(await post("right", home)).toBe("in");
    fake.delay = async () => void (await turn());
    const codes = await Promise.all([...guesses, "right"].map((password) => post(password, home)));
    expect(codes.at(-1)).not.toBe("in");
  });

  test.each(["server_policy", "server_unreachable"] as const)("while nobody can log in: %s", async (code) => {
    begin();
    expect(await post("right", home)).toBe("in");
    fake.delay = () => Promise.reject(new Failure(code, "Not now."));
    for (const guess of guesses) await post(guess, home);
    expect(await post("right", home)).not.toBe("in");
  });

  test("whose bodies come later than the owner's next request", async () => {
    begin();
    for (const password of [...guesses, "right"]) fake.cache.admit(credentialsOf(alice, password), home);
    for (let nth = 0; nth < 2; nth++) expect(await post("right", home)).toBe("in");
    const codes = await Promise.all([...guesses, "right"].map((password) => openNow(password, home)));
    expect(codes.at(-1)).not.toBe("in");
  });

  test("while the first login is under way there", async () => {
    begin();
    const door = Promise.withResolvers<void>();
    fake.delay = ({ password }) => (password === "right" ? door.promise : Promise.resolve());
    const owner = post("right", home);
    await turn();
    await turn();
    const all = [...guesses, "right"].map((password) => post(password, home));
    await wait(50);
    door.resolve();
    const codes = await Promise.all(all);
    expect([await owner, codes.at(-1) === "in"]).toEqual(["in", false]);
  });
});

describe("from elsewhere the right password does not join", () => {
  test.each([
    ["the owner's proof", true],
    ["the owner's first login", false],
  ])("%s", async (_, hasSession) => {
    begin({ verifyMs: shortVerifyMs }, { addressPerMinute: 1 });
    if (hasSession) await post("right", home);
    await post("guess", elsewhere, carol);
    await wait(shortVerifyMs + 5);
    const door = Promise.withResolvers<void>();
    fake.delay = () => door.promise;
    const owner = openNow("right", home);
    await turn();
    const others = [openNow("wrong", elsewhere), openNow("right", elsewhere)];
    await turn();
    door.resolve();
    expect([await owner, ...(await Promise.all(others))]).toEqual(["in", "throttled", "throttled"]);
  });
});

test("at a server that breaks off over a wrong password, a thousand guesses at once are limited, too", async () => {
  begin();
  fake.delay = async ({ password }) => {
    await turn();
    if (password !== "right") throw new Failure("stream_closed", "It ended.");
  };
  await Promise.all(guesses.map((guess) => post(guess, elsewhere)));
  expect(fake.logins.length + fake.proofs.length).toBeLessThanOrEqual(42);
});

describe("the owner", () => {
  test("keeps his address's welcome, however many strangers guess elsewhere", async () => {
    begin({}, { ...limits, accountPerHour: 20 });
    await post("right", home);
    for (const [nth, guess] of guesses.slice(0, 200).entries()) await post(guess, `198.51.100.${nth}`);
    expect(await post("right", home)).toBe("in");
    await wasThere();
    expect(await post("right", home)).toBe("in");
  });

  test("makes one login for fifty first requests from one address", async () => {
    begin();
    fake.delay = async () => void (await turn());
    await Promise.all(Array.from({ length: 50 }, () => openNow("right", home)));
    expect([fake.logins.length, fake.proofs.length]).toEqual([1, 0]);
  });

  test("makes one login, and one proof, for many addresses where he was before", async () => {
    begin({ verifyMs: shortVerifyMs });
    for (const address of devices) expect(await post("right", address)).toBe("in");
    await wasThere();
    fake.delay = async () => void (await wait(5));
    const before = [fake.logins.length, fake.proofs.length];
    const since = () => [fake.logins.length - (before[0] ?? 0), fake.proofs.length - (before[1] ?? 0)];
    await Promise.all(devices.map((address) => post("right", address)));
    expect(since()).toEqual([1, 0]);
    await wait(shortVerifyMs + 5);
    await Promise.all(devices.map((address) => post("right", address)));
    expect(since()).toEqual([1, 1]);
  });

  test("fails at the server no more often than the budget says, with an old password at many addresses", async () => {
    begin({ verifyMs: shortVerifyMs });
    for (const address of devices) expect(await post("right", address)).toBe("in");
    fake.passwords.set(alice, "new");
    await wait(shortVerifyMs + 5);
    fake.delay = async () => void (await wait(5));
    const before = fake.proofs.length;
    await Promise.all(devices.map((address) => post("right", address)));
    expect(fake.proofs.length - before).toBeLessThanOrEqual(limits.serverFailuresBurst);
  });

  test("waits at a known address for no login that another address began with the same password", async () => {
    begin();
    await wasThere();
    await keepBudgetInUse();
    void openNow("right", phone);
    await turn();
    expect(await soon(openNow("right", home))).toBe("in");
  });

  test("is not refused at a known address with another one", async () => {
    begin();
    await wasThere();
    for (const guess of guesses.slice(0, 4)) await openNow(guess, elsewhere, carol);
    expect(await Promise.all([openNow("right", phone), openNow("right", home)])).toEqual(["logins_paused", "in"]);
  });

  test("does not wait for a proof that is not known where it comes from", async () => {
    begin({ verifyMs: shortVerifyMs });
    await post("right", home);
    await keepBudgetInUse();
    await wait(shortVerifyMs + 5);
    void post("right", phone);
    await turn();
    await turn();
    expect(await soon(post("right", home))).toBe("in");
  });

  test("does not wait for a stranger's guess once his own password is proven", async () => {
    begin();
    fake.delay = ({ password }) => (password === "guess" ? hangs() : Promise.resolve());
    void post("guess", elsewhere);
    await turn();
    await turn();
    expect(await soon(post("right", home))).toBe("in");
  });

  test("is known no more with a password that has failed since", async () => {
    begin();
    await post("right", home);
    fake.passwords.set(alice, "new");
    fake.events.get(alice)?.lost(new Failure("stream_closed", "It ended."));
    await turn();
    expect(await post("right", home)).toBe("credentials_rejected");
    for (const guess of guesses.slice(0, 3)) await post(guess, elsewhere, carol);
    const before = fake.logins.length;
    await post("right", home);
    expect(fake.logins.length).toBe(before);
  });
});

describe("a new password beside an old one that is known and tried at the same time", () => {
  const oldDoor = () => doors[0];
  const newDoor = () => doors[1];
  let doors: [PromiseWithResolvers<void>, PromiseWithResolvers<void>];
  async function beginBoth(): Promise<readonly [fresh: Promise<string>, old: Promise<string>]> {
    begin();
    await wasThere();
    doors = [Promise.withResolvers(), Promise.withResolvers()];
    fake.delay = ({ password }) => (password === "new" ? newDoor() : oldDoor()).promise;
    fake.passwords.set(alice, "new");
    const fresh = openNow("new", elsewhere);
    await turn();
    const old = openNow("right", home);
    await turn();
    return [fresh, old];
  }

  test("works at the first try, and does not wait for the other's end", async () => {
    const [fresh, old] = await beginBoth();
    newDoor().resolve();
    expect(await soon(fresh)).toBe("in");
    expect(fake.cache.current(credentialsOf(alice, "new"), elsewhere)?.live).toBe(true);
    oldDoor().resolve();
    expect(await old).toBe("credentials_rejected");
    expect([fake.cache.size, fake.closed]).toEqual([1, []]);
  });

  test("gives way where the server took the other one first: one session is bound", async () => {
    const [fresh, old] = await beginBoth();
    fake.passwords.set(alice, "right");
    oldDoor().resolve();
    expect(await old).toBe("in");
    fake.passwords.set(alice, "new");
    newDoor().resolve();
    expect(await fresh).toBe("in");
    await turn();
    expect([fake.cache.size, fake.closed]).toEqual([1, [alice]]);
  });

  test.each([
    ["a release", () => fake.cache.release(new Set(["example.com"])), 0],
    ["a stop", () => void fake.cache.close(), 0],
  ])("is closed by %s, though the other one has failed", async (_, end, size) => {
    const [fresh, old] = await beginBoth();
    oldDoor().resolve();
    expect(await old).toBe("credentials_rejected");
    end();
    newDoor().resolve();
    await fresh;
    await turn();
    expect([fake.cache.size, fake.closed]).toEqual([size, [alice]]);
  });
});

test("a proof's late yes does not outvote a later no", async () => {
  begin({ verifyMs: 100 }, {});
  for (const address of [home, elsewhere]) await openNow("right", address);
  await wait(105);
  const door = Promise.withResolvers<void>();
  let first = true;
  fake.delay = async () => {
    if (!first) return;
    first = false;
    await door.promise;
    fake.passwords.set(alice, "right");
  };
  const late = openNow("right", home);
  await turn();
  fake.passwords.set(alice, "new");
  expect(await openNow("right", phone)).toBe("credentials_rejected");
  door.resolve();
  await late;
  fake.passwords.set(alice, "new");
  expect(await openNow("right", home)).toBe("credentials_rejected");
});

describe("newcomers are let in while logins hang at", () => {
  const hangAt = (slow: number) => {
    fake.delay = ({ account }) => (account.domain.startsWith("slow") ? hangs() : Promise.resolve());
    for (let nth = 0; nth < 120; nth++) void openNow("guess", elsewhere, `user${nth}@slow${nth % slow}.example.com`);
    return turn();
  };

  test("two other servers", async () => {
    begin({ domains: () => 3 });
    await hangAt(2);
    expect(await soon(openNow("right", home))).toBe("in");
  });

  test("one other server, which four domains have", async () => {
    const serverOf = (domain: string) => (domain.startsWith("slow") ? "192.0.2.8 5222" : "192.0.2.9 5222");
    begin({ domains: () => 4, serverOf });
    fake.connectedTo = serverOf;
    await hangAt(4);
    expect(await soon(openNow("right", home))).toBe("in");
  });
});

test("who waits for the budget is answered at the end of a shutdown", async () => {
  begin({}, { serverFailuresBurst: 1 });
  fake.streamEnds = new AbortController();
  fake.delay = ({ account }) => (account.bare === carol ? hangs() : Promise.resolve());
  void openNow("right", home, carol);
  await turn();
  const waiting = openNow("right", home);
  await turn();
  fake.cache.giveUp();
  expect(await soon(waiting)).toBe("shutting_down");
});
