import { afterEach, describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Link, LinkEvents } from "../../src/link.ts";
import { createLog } from "../../src/log.ts";
import type { Credentials } from "../../src/message.ts";
import { createCache, type SessionCache } from "../../src/session/cache.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";
import { openThrottle } from "../support/open-throttle.ts";

const never = new AbortController().signal;
const here = "127.0.0.1";
const passwords = new Map([["alice@example.com", "right"]]);

interface FakeLogin {
  readonly credentials: Credentials;
  readonly events: LinkEvents;
  readonly sent: string[];
}

/** Logins and proofs that succeed when the password is the one in the table; every link acknowledges at once. */
function makeCache(overrides: Partial<Parameters<typeof createCache>[0]> = {}) {
  const logins: FakeLogin[] = [];
  const proofs: Credentials[] = [];
  const closed: string[] = [];
  const check = ({ account, password }: Credentials) => {
    if (passwords.get(account.bare) !== password) throw new Failure("credentials_rejected", "Wrong.");
  };
  const cache = createCache({
    login: async (credentials, events) => {
      const login: FakeLogin = { credentials, events, sent: [] };
      logins.push(login);
      await Promise.resolve();
      check(credentials);
      const link: Link = {
        rooms: noRooms,
        jid: jid(`${credentials.account.bare}/gateway`),
        send: (stanzas) => {
          login.sent.push(...stanzas.map(({ stanza }) => stanza));
          queueMicrotask(() => events.acknowledged(stanzas.length));
          return true;
        },
        close: async () => {
          closed.push(credentials.account.bare);
          events.lost(new Failure("stream_closed", "Closed."));
        },
        abort: (reason) => events.lost(reason),
        graceMs: 0,
        maxStanzaBytes: undefined,
        resumable: true,
        reconnect: () => Promise.reject(new Failure("server_unreachable", "Nobody there.")),
      };
      return link;
    },
    verify: async (credentials) => {
      proofs.push(credentials);
      await Promise.resolve();
      check(credentials);
    },
    session: { ackTimeoutMs: 5000, maxPending: 100, maxPendingBytes: 100_000 },
    loginTimeoutMs: 5000,
    idleMs: 60_000,
    roomIdleMs: 3_600_000,
    max: 10,
    verifyMs: 300_000,
    loginConcurrency: 32,
    domains: () => 1,
    serverOf: (domain) => domain,
    throttle: openThrottle,
    log: createLog({ level: "error", format: "json", destination: { write: () => {} } }),
    ...overrides,
  });
  open.push(cache);
  return { cache, logins, proofs, closed };
}

const open: SessionCache[] = [];
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.close();
});

const alice = (password: string): Credentials => ({ account: jid("alice@example.com"), password });

describe("the session cache", () => {
  test("makes one login of 200 first requests at the same time", async () => {
    const { cache, logins } = makeCache();
    const sessions = await Promise.all(Array.from({ length: 200 }, () => cache.open(alice("right"), here)));
    expect(logins.length).toBe(1);
    expect(new Set(sessions).size).toBe(1);
  });

  test("never lets a wrong password into a live session, and leaves that session alone", async () => {
    const { cache, logins, proofs } = makeCache();
    const session = await cache.open(alice("right"), here);
    await expect(cache.open(alice("wrong"), here)).rejects.toMatchObject({ code: "credentials_rejected" });
    expect(proofs.length).toBe(1);
    expect(await cache.open(alice("right"), here)).toBe(session);
    expect(session.live).toBe(true);
    expect(logins.length).toBe(1);
  });

  test("does not take a password for the right one because its login is still under way", async () => {
    const { cache } = makeCache();
    const [wrong, right] = await Promise.allSettled([
      cache.open(alice("wrong"), here),
      cache.open(alice("right"), here),
    ]);
    expect(wrong).toMatchObject({ status: "rejected", reason: { code: "credentials_rejected" } });
    expect(right.status).toBe("fulfilled");
    await expect(cache.open(alice("wrong"), here)).rejects.toMatchObject({ code: "credentials_rejected" });
  });

  test("proves fifty equal wrong passwords with one login", async () => {
    const { cache, proofs } = makeCache();
    await cache.open(alice("right"), here);
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => cache.open(alice("wrong"), here)));
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(proofs.length).toBe(1);
  });

  test("takes a changed password over for the live session once it is proven", async () => {
    const { cache, logins, proofs } = makeCache();
    const session = await cache.open(alice("right"), here);
    passwords.set("alice@example.com", "new");
    try {
      expect(await cache.open(alice("new"), here)).toBe(session);
      expect(await cache.open(alice("new"), here)).toBe(session);
      expect(proofs.length).toBe(1);
      await expect(cache.open(alice("right"), here)).rejects.toMatchObject({ code: "credentials_rejected" });
      expect(logins.length).toBe(1);
    } finally {
      passwords.set("alice@example.com", "right");
    }
  });

  test("logs in anew after the link was lost", async () => {
    const { cache, logins } = makeCache();
    await cache.open(alice("right"), here);
    logins[0]?.events.lost(new Failure("server_shutdown", "Going down."));
    const session = await cache.open(alice("right"), here);
    expect(logins.length).toBe(2);
    await session.send({ id: "1", to: jid("bob@example.com"), stanza: "<message/>" }, never);
    expect(logins[1]?.sent).toEqual(["<message/>"]);
  });

  test("gives the login's failure to everybody who waits for it and keeps nothing of it", async () => {
    const { cache, logins } = makeCache();
    const results = await Promise.allSettled([cache.open(alice("wrong"), here), cache.open(alice("wrong"), here)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(logins.length).toBe(1);
    expect(cache.size).toBe(0);
  });

  test("ends a login that takes longer than login_timeout", async () => {
    const { cache } = makeCache({
      loginTimeoutMs: 20,
      login: (_, __, { signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
    });
    await expect(cache.open(alice("right"), here)).rejects.toMatchObject({
      code: "login_timeout",
      outcome: "not_sent",
    });
  });

  test("makes room by closing the session that was not used for the longest time, and refuses when all are busy", async () => {
    passwords.set("carol@example.com", "right").set("dave@example.com", "right");
    const { cache, closed } = makeCache({ max: 2 });
    const carol = { account: jid("carol@example.com"), password: "right" };
    const first = await cache.open(alice("right"), here);
    const second = await cache.open(carol, here);
    second.lastUsedMs = first.lastUsedMs - 1000;
    await cache.open({ account: jid("dave@example.com"), password: "right" }, here);
    expect(closed).toEqual(["carol@example.com"]);
    const pending = first.send({ id: "1", to: jid("bob@example.com"), stanza: "<message/>" }, never);
    const dave = await cache.open({ account: jid("dave@example.com"), password: "right" }, here);
    const alsoPending = dave.send({ id: "2", to: jid("bob@example.com"), stanza: "<message/>" }, never);
    await expect(cache.open(carol, here)).rejects.toMatchObject({ code: "overloaded" });
    await Promise.all([pending, alsoPending]);
  });

  test("closes what was not used for the idle time", async () => {
    const { cache, closed } = makeCache({ idleMs: 40 });
    const session = await cache.open(alice("right"), here);
    await session.ended;
    expect(closed).toEqual(["alice@example.com"]);
    expect(cache.size).toBe(0);
  });

  test("refuses everybody once it is closed", async () => {
    const { cache } = makeCache();
    const session = await cache.open(alice("right"), here);
    await cache.close();
    expect(session.over).toBe(true);
    await expect(cache.open(alice("right"), here)).rejects.toMatchObject({ code: "shutting_down" });
  });
});

describe("a proven password", () => {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  test("is proven anew when its time is over, while the live session stays", async () => {
    const { cache, logins, proofs } = makeCache({ verifyMs: 30 });
    const session = await cache.open(alice("right"), here);
    await wait(35);
    expect(await cache.open(alice("right"), here)).toBe(session);
    expect([logins.length, proofs.length]).toEqual([1, 1]);
  });

  test("is proven anew in the background shortly before, and the request does not wait", async () => {
    const { cache, proofs } = makeCache({ verifyMs: 200 });
    await cache.open(alice("right"), here);
    await cache.open(alice("right"), here);
    expect(proofs.length).toBe(0);
    await wait(170);
    await Promise.all([cache.open(alice("right"), here), cache.open(alice("right"), here)]);
    expect(proofs.length).toBe(1);
  });

  test("that the server does not accept any more is refused from then on, and the session waits for a better one", async () => {
    const { cache, proofs } = makeCache({ verifyMs: 20, throttle: { ...openThrottle, rememberFailureMs: 60_000 } });
    const session = await cache.open(alice("right"), here);
    passwords.set("alice@example.com", "new");
    try {
      await wait(25);
      await expect(cache.open(alice("right"), here)).rejects.toMatchObject({ code: "credentials_rejected" });
      await expect(cache.open(alice("right"), here)).rejects.toMatchObject({ code: "credentials_rejected" });
      expect(proofs.length).toBe(1);
      expect(await cache.open(alice("new"), here)).toBe(session);
    } finally {
      passwords.set("alice@example.com", "right");
    }
  });

  test("is not void because the server could not be asked", async () => {
    let reachable = true;
    const { cache } = makeCache({
      verifyMs: 20,
      verify: async () => {
        if (!reachable) throw new Failure("server_unreachable", "Down.");
      },
    });
    const session = await cache.open(alice("right"), here);
    reachable = false;
    await wait(25);
    await expect(cache.open(alice("right"), here)).rejects.toMatchObject({ code: "server_unreachable" });
    reachable = true;
    expect(await cache.open(alice("right"), here)).toBe(session);
  });
});

describe("refused logins", () => {
  test("are all answered at the same times, whether the server or memory refuses", async () => {
    const { cache, logins } = makeCache({
      throttle: { ...openThrottle, rememberFailureMs: 60_000, failureDelayMs: 300 },
    });
    const tookMs = async (credentials: Credentials) => {
      const startedMs = performance.now();
      await cache.open(credentials, here).catch(() => {});
      return performance.now() - startedMs;
    };
    const times = [
      await tookMs(alice("wrong")),
      await tookMs(alice("wrong")),
      await tookMs({ account: jid("nobody@example.com"), password: "wrong" }),
    ];
    expect(logins.length).toBe(2);
    for (const time of times) expect(Math.round(time / 300)).toBe(1);
  });

  test("do not keep out who comes with credentials that are known to be good", async () => {
    const { cache } = makeCache({ throttle: { ...openThrottle, addressPerMinute: 1, accountPerHour: 3 } });
    const session = await cache.open(alice("right"), here);
    await cache.open(alice("wrong"), here).catch(() => {});
    expect(() => cache.admit(alice("other"), here)).toThrow(expect.objectContaining({ code: "throttled" }));
    cache.admit(alice("right"), here);
    expect(await cache.open(alice("right"), here)).toBe(session);
  });
});
