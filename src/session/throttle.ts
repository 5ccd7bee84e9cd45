/**
 * Nobody can guess passwords through the gateway: so many failures an address and an account, and what failed a while ago
 * is answered from memory. Only failures count, and who comes with credentials that are known to be good is not asked,
 * where they have worked. (Elsewhere they are asked like a wrong one, and so they are where too many wrong ones come for
 * the same account: what is let through when others have to wait is known to be right.)
 */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Digest } from "./credential.ts";
import { FailureLog } from "./failure-log.ts";

export interface ThrottleOptions {
  /** Milliseconds for which a failed password is answered from memory. */
  readonly rememberFailureMs: number;
  /** Refusals of a login are answered at multiples of so many milliseconds. */
  readonly failureDelayMs: number;
  readonly addressPerMinute: number;
  readonly addressPerDay: number;
  readonly accountPerHour: number;
  /** Failed logins to one XMPP server since our last success there, within 60 minutes and within 30 s. */
  readonly serverFailures: number;
  readonly serverFailuresBurst: number;
}

/** Of each table. */
export const maxKeys = 50_000;
const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

export class Throttle {
  readonly #rememberMs: number;
  readonly #addresses: FailureLog;
  readonly #accounts: FailureLog;
  /** Failed credentials -> when they are forgotten. */
  readonly #failed = new BoundedMap<number>(maxKeys);
  /** From where an account has logged in lately: others cannot lock it out there. */
  readonly #welcome = new BoundedMap<number>(maxKeys);
  /** Other passwords that came for an account from where it is welcome -> when; and how many did. */
  readonly #guesses = new BoundedMap<number>(maxKeys);
  readonly #guessed: FailureLog;
  readonly #now: () => number;

  constructor(options: ThrottleOptions, now: () => number = () => performance.now()) {
    this.#rememberMs = options.rememberFailureMs;
    this.#addresses = new FailureLog(
      [
        { count: options.addressPerMinute, windowMs: minuteMs },
        { count: options.addressPerDay, windowMs: dayMs },
      ],
      maxKeys,
    );
    this.#accounts = new FailureLog([{ count: options.accountPerHour, windowMs: hourMs }], maxKeys);
    this.#guessed = new FailureLog([{ count: options.accountPerHour, windowMs: hourMs }], maxKeys);
    this.#now = now;
  }

  /** 429, with a true Retry-After; undefined: they may try. */
  check(account: Jid, address: string): Failure | undefined {
    const nowMs = this.#now();
    const accountMs = this.isWelcome(account, address) ? 0 : this.#accounts.pauseOf(account.bare, nowMs);
    const pauseMs = Math.max(this.#addresses.pauseOf(address, nowMs), accountMs);
    if (pauseMs === 0) return undefined;
    const retryAfterSeconds = Math.ceil(pauseMs / 1000);
    const detail = `Too many logins have failed from this address or for this account; the next try is possible in ${retryAfterSeconds} s.`;
    return new Failure("throttled", detail, { retryAfterSeconds });
  }

  /** True: these very credentials have failed a moment ago. */
  remembers(digest: Digest): boolean {
    return (this.#failed.get(digest.text) ?? 0) > this.#now();
  }

  failed(account: Jid, digest: Digest, address: string): void {
    const nowMs = this.#now();
    this.#failed.set(digest.text, nowMs + this.#rememberMs);
    this.#addresses.failed(address, nowMs);
    this.#accounts.failed(account.bare, nowMs);
  }

  /** Somebody came with a password that is not known to be good, whether it was tried or not. */
  guessed(account: Jid, digest: Digest, address: string): void {
    const nowMs = this.#now();
    // A cron job with an old password comes with the same one again and again.
    if (!this.isWelcome(account, address) || nowMs - (this.#guesses.get(digest.text) ?? -hourMs) < hourMs) return;
    this.#guesses.set(digest.text, nowMs);
    this.#guessed.failed(pair(account, address), nowMs);
  }

  succeeded(account: Jid, digest: Digest, address: string): void {
    this.#failed.delete(digest.text);
    this.welcome(account, address);
  }

  /** The account has worked from there, now. */
  welcome(account: Jid, address: string): void {
    this.#welcome.set(pair(account, address), this.#now() + dayMs);
  }

  /** It has, within a day, and nobody is guessing there. */
  isWelcome(account: Jid, address: string): boolean {
    const [key, nowMs] = [pair(account, address), this.#now()];
    return (this.#welcome.get(key) ?? 0) > nowMs && this.#guessed.pauseOf(key, nowMs) === 0;
  }
}

function pair({ bare }: Jid, address: string): string {
  return `${address} ${bare}`;
}
