/**
 * How many logins may still fail at one XMPP server: servers ban the address of whoever fails too often (ejabberd's
 * mod_fail2ban at 20, Prosody's mod_limit_auth at 5 in 30 s), and everybody behind the gateway with it. A login whose
 * password nobody has seen succeed is a failure until it is none; more than the budget has room for wait for each other.
 */

import { Failure } from "../errors.ts";
import { FailureLog } from "./failure-log.ts";
import { maxKeys, type ThrottleOptions } from "./throttle.ts";

type Outcome = "succeeded" | "failed" | "undecided";

interface Server {
  /** Unproven logins under way. */
  underWay: number;
  /** In the order of coming. */
  readonly waiting: Waiting[];
  /** Who holds this record; it is not forgotten before they are all gone. */
  users: number;
  warned: boolean;
}

interface Waiting {
  readonly admit: () => void;
  readonly refuse: (reason: unknown) => void;
}

export class ServerBudget {
  readonly #failures: FailureLog;
  readonly #servers = new Map<string, Server>();
  /** Domains whose server is not known yet -> the end of the one login that goes there. */
  readonly #scouts = new Map<string, Promise<void>>();
  readonly #onSpent: (server: string) => void;
  readonly #now: () => number;

  /** `onSpent` is called once when the budget of a server is spent, until a login succeeds there. */
  constructor(
    { serverFailures, serverFailuresBurst }: Pick<ThrottleOptions, "serverFailures" | "serverFailuresBurst">,
    onSpent: (server: string) => void,
    now: () => number = () => performance.now(),
  ) {
    const limits = [
      { count: serverFailures, windowMs: 3_600_000 },
      { count: serverFailuresBurst, windowMs: 30_000 },
    ];
    this.#failures = new FailureLog(limits, maxKeys);
    this.#onSpent = onSpent;
    this.#now = now;
  }

  /**
   * Runs an unproven login when there is room for its failure. Rejects with `logins_paused` when the budget is spent and
   * nothing under way can change that, and with the signal's reason.
   */
  async spend<T>(server: string, signal: AbortSignal, login: () => Promise<T>): Promise<T> {
    const state = this.#servers.get(server) ?? { underWay: 0, waiting: [], users: 0, warned: false };
    this.#servers.set(server, state);
    state.users += 1;
    try {
      await this.#reserve(server, state, signal);
      return await this.#run(server, state, login);
    } finally {
      state.users -= 1;
      if (state.users === 0 && !state.warned) this.#servers.delete(server);
    }
  }

  /** A login with credentials that had succeeded before, which is let through whatever the budget is. */
  report(server: string, outcome: Outcome): void {
    const state = this.#servers.get(server);
    if (outcome === "succeeded") {
      this.#failures.forget(server);
      if (state !== undefined) state.warned = false;
    }
    if (outcome === "failed") this.#failures.failed(server, this.#now());
    if (state !== undefined) this.#admit(server, state);
  }

  /**
   * The same where the server is known by its domain alone until a login has found it: several domains may have the same
   * one, so that until then a domain has one login at a time.
   */
  async spendAt<T>(
    domain: string,
    serverOf: (domain: string) => string | undefined,
    signal: AbortSignal,
    login: () => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const server = serverOf(domain);
      if (server !== undefined) return this.spend(server, signal, login);
      const scout = this.#scouts.get(domain);
      if (scout === undefined) break;
      await unlessAborted(signal, scout);
    }
    const { promise: over, resolve } = Promise.withResolvers<void>();
    this.#scouts.set(domain, over);
    try {
      const result = await login();
      this.report(serverOf(domain) ?? domain, "succeeded");
      return result;
    } catch (error) {
      if (isRejection(error)) this.report(serverOf(domain) ?? domain, "failed");
      throw error;
    } finally {
      this.#scouts.delete(domain);
      resolve();
    }
  }

  async #run<T>(server: string, state: Server, login: () => Promise<T>): Promise<T> {
    let outcome: Outcome = "undecided";
    try {
      const result = await login();
      outcome = "succeeded";
      return result;
    } catch (error) {
      if (isRejection(error)) outcome = "failed";
      throw error;
    } finally {
      state.underWay -= 1;
      this.report(server, outcome);
    }
  }

  /** Resolves in the order of coming; rejects with `logins_paused` or the signal's reason. */
  #reserve(server: string, state: Server, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { admit: resolve, refuse: reject };
    const giveUp = () => {
      const index = state.waiting.indexOf(waiting);
      if (index === -1) return;
      state.waiting.splice(index, 1);
      reject(signal.reason);
    };
    state.waiting.push(waiting);
    signal.addEventListener("abort", giveUp, { once: true });
    this.#admit(server, state);
    return promise.finally(() => signal.removeEventListener("abort", giveUp));
  }

  #admit(server: string, state: Server): void {
    const room = this.#failures.roomOf(server, this.#now());
    while (state.underWay < room && state.waiting.length > 0) {
      state.underWay += 1;
      state.waiting.shift()?.admit();
    }
    if (state.underWay > 0) return;
    for (const { refuse } of state.waiting.splice(0)) refuse(this.#paused(server, state));
  }

  #paused(server: string, state: Server): Failure {
    if (!state.warned) this.#onSpent(server);
    state.warned = true;
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#failures.pauseOf(server, this.#now()) / 1000));
    const detail = `Too many logins have failed at this XMPP server; passwords that have not worked here before are tried again in ${retryAfterSeconds} s.`;
    return new Failure("logins_paused", detail, { retryAfterSeconds });
  }
}

function isRejection(error: unknown): boolean {
  return error instanceof Failure && error.code === "credentials_rejected";
}

function unlessAborted(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  signal.throwIfAborted();
  const { promise: settled, resolve, reject } = Promise.withResolvers<void>();
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  promise.then(resolve);
  return settled.finally(() => signal.removeEventListener("abort", giveUp));
}
