/**
 * One live session an account, opened on first use and shared: the wall that decides, without asking the server, who may
 * speak as whom. A request is let through only if its password is the one that the server has accepted for this account
 * within the `verify` time; any other has to be proven by a login of its own, which the live session does not notice.
 */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Login, Verify } from "../link.ts";
import type { Log } from "../log.ts";
import type { Credentials } from "../message.ts";
import { noTally, type SessionCensus } from "../tally.ts";
import * as answers from "./answers.ts";
import { rememberServices } from "./conference-services.ts";
import { digestOf, sameDigest } from "./credential.ts";
import type { SessionOptions } from "./entry.ts";
import { Garbage } from "./garbage.ts";
import { type Caller, Gatekeeper, type GatekeeperOptions } from "./gatekeeper.ts";
import { Proofs } from "./proofs.ts";
import { untilGrid } from "./refusal-grid.ts";
import { Session } from "./session.ts";
import { createReports, reportEnd } from "./session-reports.ts";
import { type Slot, vouchesFor } from "./slot.ts";
import { Slots } from "./slots.ts";

export interface CacheOptions extends Omit<GatekeeperOptions, "log"> {
  readonly login: Login;
  readonly verify: Verify;
  readonly session: Pick<SessionOptions, "ackTimeoutMs" | "maxPending" | "maxPendingBytes" | "roomQuietMs">;
  /** Milliseconds for which a proven password is believed. */
  readonly verifyMs: number;
  /** Milliseconds of disuse after which a session is closed. */
  readonly idleMs: number;
  /** Milliseconds of disuse after which a room is left. */
  readonly roomIdleMs: number;
  /** Sessions at one time. */
  readonly max: number;
  readonly log: Log;
}

export interface SessionCache {
  /** Whether the caller may try at all; throws `throttled`. */
  admit(credentials: Credentials, address: string): void;
  /**
   * The account's live session. Rejects with a Failure: credentials_rejected (at a multiple of `failure_delay`),
   * logins_paused, overloaded, shutting_down, or why the login failed.
   */
  open(credentials: Credentials, address: string): Promise<Session>;
  /** What `open` would resolve to at once, for nearly all requests, which then need no promise for it; or undefined. */
  current(credentials: Credentials, address: string): Session | undefined;
  /** Live sessions and logins under way. */
  readonly size: number;
  /** Takes the sessions of these domains from everybody; each is closed when it owes no answer any more. */
  release(domains: ReadonlySet<string>): void;
  census(): SessionCensus;
  /** Answers whatever is still open in any session, and ends the logins under way; for the end of a shutdown. */
  giveUp(): void;
  /** Refuses new sessions and closes every stream properly. */
  close(): Promise<void>;
}

/** A login of somebody else's for the same account may come in between; more rounds than this mean a fault. */
const maxRounds = 3;
/** From this part of the `verify` time on, a request is served while its password is proven anew. */
const soon = 0.8;
/** So many other passwords beside a first login, from the same address, and nobody joins it any more. */
const mostGuesses = 10;
/** How often the throttles are told that an account is in use. */
const welcomeMs = 60_000;

export function createCache(options: CacheOptions): SessionCache {
  const { log, tally = noTally, verifyMs } = options;
  const gate = new Gatekeeper(options);
  const slots = new Slots(options.max);
  const proofs = new Proofs({ verify: options.verify, gate, slotOf: (bareJid) => slots.get(bareJid) });
  const servicesOf = rememberServices();
  let closed = false;
  const garbage = new Garbage();
  const sweeper = setInterval(sweep, Math.max(10, Math.min(options.idleMs / 4, options.roomIdleMs / 4, 30_000)));

  return {
    admit,
    open,
    current,
    get size() {
      return slots.size;
    },
    release: (domains) => slots.release(domains),
    census: () => slots.census(),
    giveUp() {
      closed = true;
      gate.giveUp(answers.stopping());
      for (const { session } of slots.all) session.giveUp();
    },
    close,
  };

  function admit(credentials: Credentials, address: string): void {
    const digest = digestOf(credentials);
    const slot = slots.get(credentials.account.bare);
    if (slot?.digest !== undefined) {
      if (!sameDigest(slot.digest, digest)) noteGuess(slot, address);
      else if (isWelcome(slot, address)) return;
    }
    // Though a live session may vouch for the password: whoever must wait would otherwise learn here, as fast as he can
    // ask, which guess is the right one.
    const refusal = gate.throttled({ credentials, digest, address });
    if (refusal !== undefined) throw refusal;
  }

  function current(credentials: Credentials, address: string): Session | undefined {
    const slot = slots.get(credentials.account.bare);
    const caller = { credentials, digest: digestOf(credentials), address };
    if (closed || slot === undefined || !slot.session.begun || !isProven(slot, caller)) return undefined;
    if (performance.now() - slot.provenMs > verifyMs * soon) return undefined;
    welcome(slot, caller);
    return slot.session;
  }

  /** It counts for a day, and need not be told with every request. */
  function welcome(slot: Slot, caller: Caller): void {
    if (isWelcome(slot, caller.address)) return;
    gate.welcome(caller);
    slot.usedFrom = caller.address;
    slot.toldMs = performance.now();
  }

  /** As the throttles know already. */
  function isWelcome({ usedFrom, toldMs = 0 }: Slot, address: string): boolean {
    return usedFrom === address && performance.now() - toldMs < welcomeMs;
  }

  /** His address may be about to lose its welcome, and a login under way is no test of passwords. */
  function noteGuess(slot: Slot, address: string): void {
    slot.usedFrom = undefined;
    if (!slot.session.begun && slot.from === address) slot.guesses += 1;
  }

  /**
   * Whether the caller's password need not be proven. Where the account has not been used it has to be: a right guess
   * must be no faster, and no less limited, than a wrong one.
   */
  function isProven(slot: Slot, caller: Caller): boolean {
    if (!vouchesFor(slot, caller.digest, verifyMs)) return false;
    if (!slot.session.begun) {
      if (slot.from === caller.address) return slot.guesses < mostGuesses;
      // That login may have to wait for its turn, or be refused it.
      if (!slot.known) return false;
    }
    return isWelcome(slot, caller.address) || gate.isWelcome(caller);
  }

  async function open(credentials: Credentials, address: string): Promise<Session> {
    const startedMs = performance.now();
    try {
      return await find({ credentials, digest: digestOf(credentials), address });
    } catch (error) {
      if (error instanceof Failure && error.code === "credentials_rejected")
        await untilGrid(startedMs, options.throttle.failureDelayMs);
      throw error;
    }
  }

  async function find(caller: Caller): Promise<Session> {
    const { account } = caller.credentials;
    for (let round = 0; round < maxRounds; round++) {
      if (closed) throw answers.stopping();
      const slot = slots.get(account.bare);
      if (slot === undefined || slot.session.over) {
        const rest = gate.rest(account);
        if (rest === undefined) return startSession(caller).ready;
        // That somebody's session was ended by the server is for the owner alone to know.
        if (!gate.knows(caller)) await proofs.prove(caller);
        throw rest;
      }
      if (isProven(slot, caller)) {
        if (slot.session.begun) gate.welcome(caller);
        const ageMs = performance.now() - slot.provenMs;
        // What goes wrong is said to the request that needs the proof; this one does not.
        if (ageMs > verifyMs * soon && slot.session.begun) proofs.prove(caller).catch(() => {});
        return slot.ready;
      }
      // A guess whose body was slow to come was noted before the owner's last request.
      slot.usedFrom = undefined;
      // Whoever has logged in before need not wait for the end of a guess.
      if (!slot.session.begun && gate.knows(caller)) return startSession(caller).ready;
      const proven = await proofs.prove(caller);
      // Not by the digest, which another password that the server takes as well may have put there since.
      if (proven !== undefined && proven === slots.get(account.bare) && !proven.session.over) return proven.ready;
      // Another password has been proven meanwhile, whose login may still be under way.
      if (!gate.knows(caller)) await slots.get(account.bare)?.ready.catch(() => {});
    }
    throw new Failure("server_busy", `The login of "${account.bare}" did not settle; it needs another try.`);
  }

  function startSession(caller: Caller): Slot {
    const refusal = gate.refusal(caller);
    if (refusal !== undefined) throw refusal;
    refuseWhenFull();
    const { account } = caller.credentials;
    const session = new Session(account, sessionOptions(account));
    const login = gate.pass(caller, (terms) => options.login(caller.credentials, session.events, terms));
    const ready = login.then((link) => {
      const other = slots.overtakerOf(slot);
      if (other !== undefined) {
        void link.close();
        return other.ready;
      }
      try {
        // Not before the password is proven: whoever guesses must not be able to close the sessions of others.
        makeRoom();
      } catch (error) {
        void link.close();
        throw error;
      }
      slot.provenMs = performance.now();
      session.begin(link);
      return session;
    });
    const slot: Slot = {
      digest: caller.digest,
      provenMs: performance.now(),
      from: caller.address,
      known: gate.knows(caller),
      guesses: 0,
      session,
      ready,
    };
    slots.add(slot);
    ready.catch(() => slots.remove(slot));
    watchEnd(slot);
    return slot;
  }

  /** Apart from `startSession`, since what waits for as long as the session lives would keep its caller's password. */
  function watchEnd(slot: Slot): void {
    const { account } = slot.session;
    slot.session.ended.then((reason) => {
      slots.remove(slot);
      garbage.add();
      gate.sessionEnded(account, slot.digest, reason);
      reportEnd(account, reason, log);
    });
  }

  function sessionOptions(account: Jid): SessionOptions {
    return {
      ...options.session,
      ...createReports(account, log, tally),
      services: servicesOf(account.domain),
      loginTimeoutMs: options.loginTimeoutMs,
      pause: () => gate.pause(account) ?? gate.rest(account),
    };
  }

  /** The least recently used session that waits for nothing gives way to one whose login has succeeded. */
  function makeRoom(): void {
    refuseWhenFull();
    if (!slots.isFull) return;
    const oldest = slots.idle.sort((one, other) => one.session.lastUsedMs - other.session.lastUsedMs)[0];
    if (oldest !== undefined) retire(oldest, "[sessions] max are open, and another account needs one");
  }

  function refuseWhenFull(): void {
    if (slots.isFull && slots.idle.length === 0) throw answers.allBusy(options.max);
  }

  function sweep(): void {
    garbage.collect(slots.size);
    const nowMs = performance.now();
    for (const slot of slots.idle) {
      if (slot.session.lastUsedMs < nowMs - options.idleMs)
        retire(slot, `nobody has used it for ${options.idleMs / 1000} s`);
    }
    for (const { session } of slots.present) session.leaveRooms(nowMs - options.roomIdleMs);
  }

  /** Out of the cache first, so that nobody is given a session whose stream is being closed. */
  function retire(slot: Slot, why: string): void {
    slots.remove(slot);
    void slot.session.close(why);
  }

  async function close(): Promise<void> {
    closed = true;
    clearInterval(sweeper);
    await Promise.all(
      slots.all.map(({ session, ready }) => ready.then(() => session.close("post-msg stops")).catch(() => {})),
    );
  }
}
