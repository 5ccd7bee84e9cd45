/**
 * When an account may be connected again after it went wrong. A message that needs a connection gets one at once the
 * first time; from then on pauses grow, so that a server in trouble, or one that does not want us, is left alone.
 */

import { type Code, Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";

interface Rule {
  /** Whom a failure tells something about: everybody of the host, or this account. */
  readonly scope: "host" | "account";
  /** So many failures cost no pause. */
  readonly free: number;
  /** The first pause; each further one is twice as long. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** Back-off is spread, so that all accounts do not come back at the same moment. */
  readonly jitter: boolean;
  /** A login that succeeds says that the trouble is over. */
  readonly endsWithLogin: boolean;
}

const backOff = { free: 1, firstMs: 1_000, longestMs: 5_000, jitter: true, endsWithLogin: true };

const rules = {
  unreachable: { scope: "host", ...backOff },
  failing: { scope: "account", ...backOff },
  // Two sessions that replace each other would do so for ever: connect again once, then leave the other one in peace.
  replaced: {
    scope: "account",
    free: 1,
    firstMs: 300_000,
    longestMs: 300_000,
    jitter: false,
    endsWithLogin: false,
  },
  // A live session that the server has ended by its policy, such as an administrator's kick: no other account's fault.
  expelled: {
    scope: "account",
    free: 0,
    firstMs: 60_000,
    longestMs: 3_600_000,
    jitter: false,
    endsWithLogin: false,
  },
  unwanted: {
    scope: "host",
    free: 0,
    firstMs: 60_000,
    longestMs: 3_600_000,
    jitter: false,
    endsWithLogin: false,
  },
} as const satisfies Record<string, Rule>;

type RuleName = keyof typeof rules;
/** Of what everybody may be told, and of what only somebody who has logged in to the account can know. */
const loginRules: readonly RuleName[] = ["unwanted", "unreachable", "failing"];
const sessionRules: readonly RuleName[] = ["replaced", "expelled"];

const ruleOf: Partial<Record<Code, RuleName>> = {
  name_not_found: "unreachable",
  name_lookup_failed: "unreachable",
  server_unreachable: "unreachable",
  login_timeout: "failing",
  login_temporarily_failed: "failing",
  stream_closed: "failing",
  server_busy: "failing",
  server_shutdown: "failing",
  session_replaced: "replaced",
  server_policy: "unwanted",
};

const ruleOfEnd: Partial<Record<Code, RuleName>> = { session_replaced: "replaced", server_policy: "expelled" };

interface Trouble {
  readonly failure: Failure;
  readonly count: number;
  readonly untilMs: number;
  /** When it is forgotten, if nothing more happens. */
  readonly forgottenMs: number;
}

/** Bounded; the oldest goes first. */
const maxTroubles = 50_000;

export class Pauses {
  readonly #troubles = new Map<string, Trouble>();
  readonly #now: () => number;

  /** `now`: milliseconds on a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Why the account may not be connected now: the failure that it would probably get again, with a true Retry-After. */
  check(account: Jid): Failure | undefined {
    return this.#check(account, loginRules);
  }

  /** The same for what `ended` was told. */
  checkEnded(account: Jid): Failure | undefined {
    return this.#check(account, sessionRules);
  }

  #check(account: Jid, names: readonly RuleName[]): Failure | undefined {
    const nowMs = this.#now();
    for (const name of names) {
      const trouble = this.#troubles.get(keyOf(name, account));
      if (trouble === undefined || trouble.untilMs <= nowMs) continue;
      const retryAfterSeconds = Math.ceil((trouble.untilMs - nowMs) / 1000);
      const { code, message, cause } = trouble.failure;
      const detail = `${message} It is not tried again for ${retryAfterSeconds} s.`;
      return new Failure(code, detail, { cause, retryAfterSeconds });
    }
    return undefined;
  }

  /** A login has failed. */
  failed(account: Jid, failure: Failure): void {
    this.#note(account, failure, ruleOf[failure.code]);
  }

  /** A live session has ended. */
  ended(account: Jid, reason: Failure): void {
    this.#note(account, reason, ruleOfEnd[reason.code]);
  }

  #note(account: Jid, failure: Failure, name: RuleName | undefined): void {
    if (name === undefined) return;
    const key = keyOf(name, account);
    const nowMs = this.#now();
    const earlier = this.#troubles.get(key);
    // From a connection that was begun before the pause: one more sign of the same trouble, not a further one.
    if (earlier !== undefined && earlier.untilMs > nowMs) return;
    const count = earlier !== undefined && earlier.forgottenMs > nowMs ? earlier.count + 1 : 1;
    const pauseMs = pauseOf(rules[name], count);
    const untilMs = nowMs + pauseMs;
    this.#troubles.delete(key);
    this.#troubles.set(key, { failure, count, untilMs, forgottenMs: untilMs + rules[name].longestMs });
    const [oldest] = this.#troubles.size > maxTroubles ? this.#troubles.keys() : [];
    if (oldest !== undefined) this.#troubles.delete(oldest);
  }

  succeeded(account: Jid): void {
    for (const name of loginRules) if (rules[name].endsWithLogin) this.#troubles.delete(keyOf(name, account));
  }
}

function pauseOf({ free, firstMs, longestMs, jitter }: Rule, count: number): number {
  if (count <= free) return 0;
  const pauseMs = Math.min(firstMs * 2 ** (count - free - 1), longestMs);
  return jitter ? pauseMs * (0.5 + Math.random() / 2) : pauseMs;
}

function keyOf(name: RuleName, { bare, domain }: Jid): string {
  return `${name} ${rules[name].scope === "host" ? domain : bare}`;
}
