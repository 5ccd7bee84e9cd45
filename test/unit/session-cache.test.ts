import { afterEach, describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Link, LinkEvents } from "../../src/link.ts";
import { createLog } from "../../src/log.ts";
import type { Credentials } from "../../src/message.ts";
import { createCache, type SessionCache } from "../../src/session/cache.ts";
import { jid } from "../support/jid.ts";

const never = new AbortController().signal;
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
        jid: jid(`${credentials.account.bare}/gateway`),
        send: (stanzas) => {
          login.sent.push(...stanzas);
          queueMicrotask(() => events.acknowledged(stanzas.length));
          return true;
        },
        close: async () => {
          closed.push(credentials.account.bare);
          events.lost(new Failure("stream_closed", "Closed."));
        },
        abort: (reason) => events.lost(reason),
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
    maxSessions: 10,
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
    const sessions = await Promise.all(Array.from({ length: 200 }, () => cache.open(alice("right"))));
    expect(logins.length).toBe(1);
    expect(new Set(sessions).size).toBe(1);
  });

  test("never lets a wrong password into a live session, and leaves that session alone", async () => {
    const { cache, logins, proofs } = makeCache();
    const session = await cache.open(alice("right"));
    await expect(cache.open(alice("wrong"))).rejects.toMatchObject({ code: "credentials_rejected" });
    expect(proofs.length).toBe(1);
    expect(await cache.open(alice("right"))).toBe(session);
    expect(session.live).toBe(true);
    expect(logins.length).toBe(1);
  });

  test("does not take a password for the right one because its login is still under way", async () => {
    const { cache } = makeCache();
    const [wrong, right] = await Promise.allSettled([cache.open(alice("wrong")), cache.open(alice("right"))]);
    expect(wrong).toMatchObject({ status: "rejected", reason: { code: "credentials_rejected" } });
    expect(right.status).toBe("fulfilled");
    await expect(cache.open(alice("wrong"))).rejects.toMatchObject({ code: "credentials_rejected" });
  });

  test("proves fifty equal wrong passwords with one login", async () => {
    const { cache, proofs } = makeCache();
    await cache.open(alice("right"));
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => cache.open(alice("wrong"))));
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect(proofs.length).toBe(1);
  });

  test("takes a changed password over for the live session once it is proven", async () => {
    const { cache, logins, proofs } = makeCache();
    const session = await cache.open(alice("right"));
    passwords.set("alice@example.com", "new");
    try {
      expect(await cache.open(alice("new"))).toBe(session);
      expect(await cache.open(alice("new"))).toBe(session);
      expect(proofs.length).toBe(1);
      await expect(cache.open(alice("right"))).rejects.toMatchObject({ code: "credentials_rejected" });
      expect(logins.length).toBe(1);
    } finally {
      passwords.set("alice@example.com", "right");
    }
  });

  test("logs in anew after the link was lost", async () => {
    const { cache, logins } = makeCache();
    await cache.open(alice("right"));
    logins[0]?.events.lost(new Failure("server_shutdown", "Going down."));
    const session = await cache.open(alice("right"));
    expect(logins.length).toBe(2);
    await session.send({ id: "1", to: jid("bob@example.com"), stanza: "<message/>" }, never);
    expect(logins[1]?.sent).toEqual(["<message/>"]);
  });

  test("gives the login's failure to everybody who waits for it and keeps nothing of it", async () => {
    const { cache, logins } = makeCache();
    const results = await Promise.allSettled([cache.open(alice("wrong")), cache.open(alice("wrong"))]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(logins.length).toBe(1);
    expect(cache.size).toBe(0);
  });

  test("ends a login that takes longer than login_timeout", async () => {
    const { cache } = makeCache({
      loginTimeoutMs: 20,
      login: (_, __, signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
    });
    await expect(cache.open(alice("right"))).rejects.toMatchObject({ code: "login_timeout", outcome: "not_sent" });
  });

  test("makes room by closing the session that was not used for the longest time, and refuses when all are busy", async () => {
    passwords.set("carol@example.com", "right").set("dave@example.com", "right");
    const { cache, closed } = makeCache({ maxSessions: 2 });
    const carol = { account: jid("carol@example.com"), password: "right" };
    const first = await cache.open(alice("right"));
    const second = await cache.open(carol);
    second.lastUsedMs = first.lastUsedMs - 1000;
    await cache.open({ account: jid("dave@example.com"), password: "right" });
    expect(closed).toEqual(["carol@example.com"]);
    const pending = first.send({ id: "1", to: jid("bob@example.com"), stanza: "<message/>" }, never);
    const dave = await cache.open({ account: jid("dave@example.com"), password: "right" });
    const alsoPending = dave.send({ id: "2", to: jid("bob@example.com"), stanza: "<message/>" }, never);
    await expect(cache.open(carol)).rejects.toMatchObject({ code: "overloaded" });
    await Promise.all([pending, alsoPending]);
  });

  test("closes what was not used for the idle time", async () => {
    const { cache, closed } = makeCache({ idleMs: 40 });
    const session = await cache.open(alice("right"));
    await session.ended;
    expect(closed).toEqual(["alice@example.com"]);
    expect(cache.size).toBe(0);
  });

  test("refuses everybody once it is closed", async () => {
    const { cache } = makeCache();
    const session = await cache.open(alice("right"));
    await cache.close();
    expect(session.over).toBe(true);
    await expect(cache.open(alice("right"))).rejects.toMatchObject({ code: "shutting_down" });
  });
});
