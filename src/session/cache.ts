/**
 * One live session an account, opened on first use and shared: the wall that decides, without asking the server, who may
 * speak as whom. A request is let through only if its password is the one that the session logged in with, or has just
 * been proven by a login of its own.
 */

import { Failure } from "../errors.ts";
import type { Login, Verify } from "../link.ts";
import type { Log } from "../log.ts";
import type { Credentials } from "../message.ts";
import { type Digest, digestOf, sameDigest } from "./credential.ts";
import { Session, type SessionOptions } from "./session.ts";

export interface CacheOptions {
  readonly login: Login;
  readonly verify: Verify;
  readonly session: SessionOptions;
  /** Milliseconds for a login, queueing included. */
  readonly loginTimeoutMs: number;
  /** Milliseconds of disuse after which a session is closed. */
  readonly idleMs: number;
  readonly maxSessions: number;
  readonly log: Log;
}

interface Slot {
  /** What the login was made with, and since then the last password that the server accepted. */
  digest: Digest;
  readonly session: Session;
  /** Resolves when the session is live; rejects with the login's Failure. */
  readonly ready: Promise<Session>;
}

export interface SessionCache {
  /** The account's live session. Rejects with a Failure: credentials_rejected, overloaded, shutting_down, or why the login failed. */
  open(credentials: Credentials): Promise<Session>;
  /** Live sessions and logins under way. */
  readonly size: number;
  /** Answers whatever is still open in any session, and ends the logins under way; for the end of a shutdown. */
  giveUp(): void;
  /** Refuses new sessions and closes every stream properly. */
  close(): Promise<void>;
}

/** A login of somebody else's for the same account may come in between; more rounds than this mean a fault. */
const maxRounds = 3;

export function createCache(options: CacheOptions): SessionCache {
  const { log } = options;
  const slots = new Map<string, Slot>();
  /** Passwords being proven right now, by digest, so that fifty requests with the same one make one login. */
  const proofs = new Map<string, Promise<void>>();
  /** Of logins and proofs under way. */
  const limits = new Set<AbortController>();
  let closed = false;
  const sweeper = setInterval(closeIdle, Math.max(10, Math.min(options.idleMs / 4, 30_000)));

  return {
    open,
    get size() {
      return slots.size;
    },
    giveUp() {
      closed = true;
      for (const limit of limits) limit.abort(shuttingDown());
      for (const { session } of slots.values()) session.giveUp();
    },
    close,
  };

  async function open(credentials: Credentials): Promise<Session> {
    const digest = digestOf(credentials);
    const key = credentials.account.bare;
    for (let round = 0; round < maxRounds; round++) {
      if (closed) throw shuttingDown();
      const slot = slots.get(key);
      if (slot === undefined || slot.session.over) return startSession(credentials, digest).ready;
      if (sameDigest(slot.digest, digest)) return slot.ready;
      await prove(credentials, digest);
      const current = slots.get(key);
      if (current?.session.live) {
        current.digest = digest;
        return current.session;
      }
      // The other password's login is still under way: the one that was just proven waits for its end.
      await current?.ready.catch(() => {});
    }
    throw new Failure("server_busy", `The login of "${key}" did not settle; it needs another try.`);
  }

  function startSession(credentials: Credentials, digest: Digest): Slot {
    makeRoom();
    const { account } = credentials;
    const session = new Session(account, options.session);
    const startedMs = performance.now();
    const ready = withTimeout(account.domain, (signal) => options.login(credentials, session.events, signal)).then(
      (link) => {
        session.begin(link);
        log.info({ domain: account.domain, ms: elapsed(startedMs) }, "logged in");
        return session;
      },
    );
    const slot: Slot = { digest, session, ready };
    slots.set(account.bare, slot);
    ready.catch((error: unknown) => {
      forget(slot);
      log.warn({ domain: account.domain, ms: elapsed(startedMs), err: error }, "login failed");
    });
    session.ended.then((reason) => {
      forget(slot);
      log.info({ domain: account.domain, err: reason }, "session ended");
    });
    return slot;
  }

  function prove(credentials: Credentials, digest: Digest): Promise<void> {
    const key = digest.toString("base64");
    const running = proofs.get(key);
    if (running !== undefined) return running;
    const proof = withTimeout(credentials.account.domain, (signal) => options.verify(credentials, signal)).finally(() =>
      proofs.delete(key),
    );
    proofs.set(key, proof);
    return proof;
  }

  async function withTimeout<T>(domain: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    limits.add(limit);
    const timer = setTimeout(() => {
      const seconds = options.loginTimeoutMs / 1000;
      limit.abort(new Failure("login_timeout", `The login at "${domain}" was not done within ${seconds} s.`));
    }, options.loginTimeoutMs);
    try {
      return await run(limit.signal);
    } finally {
      clearTimeout(timer);
      limits.delete(limit);
    }
  }

  /** The least recently used session that waits for nothing gives way. */
  function makeRoom(): void {
    if (slots.size < options.maxSessions) return;
    const idle = [...slots.values()].filter(({ session }) => session.live && !session.busy);
    const oldest = idle.sort((one, other) => one.session.lastUsedMs - other.session.lastUsedMs)[0];
    if (oldest === undefined) {
      const detail = `All ${options.maxSessions} sessions of this gateway are busy; another account has to wait.`;
      throw new Failure("overloaded", detail);
    }
    retire(oldest);
  }

  function closeIdle(): void {
    const before = performance.now() - options.idleMs;
    for (const slot of slots.values()) {
      if (slot.session.live && !slot.session.busy && slot.session.lastUsedMs < before) retire(slot);
    }
  }

  /** Out of the cache first, so that nobody is given a session whose stream is being closed. */
  function retire(slot: Slot): void {
    forget(slot);
    void slot.session.close();
  }

  function forget(slot: Slot): void {
    const key = slot.session.account.bare;
    if (slots.get(key) === slot) slots.delete(key);
  }

  async function close(): Promise<void> {
    closed = true;
    clearInterval(sweeper);
    await Promise.all(
      [...slots.values()].map(({ session, ready }) => ready.then(() => session.close()).catch(() => {})),
    );
  }
}

function shuttingDown(): Failure {
  return new Failure("shutting_down", "post-msg is being stopped and takes no more messages.");
}

function elapsed(sinceMs: number): number {
  return Math.round(performance.now() - sinceMs);
}
