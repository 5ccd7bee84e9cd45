/**
 * How many logins may still fail at one XMPP server: servers ban the address of whoever fails too often (ejabberd's
 * mod_fail2ban at 20, Prosody's mod_limit_auth at 5 in 30 s), and everybody behind the gateway with it. A login whose
 * password nobody has seen succeed is a failure until it is none; more than the budget has room for wait for each other.
 */

import { Failure } from "../errors.ts";
import { FailureLog } from "./failure-log.ts";
import { maxKeys, type ThrottleOptions } from "./throttle.ts";

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

  /** Why an unproven login would not be let through: the budget is spent, and nothing under way can change that. */
  refusal(server: string): Failure | undefined {
    const state = this.#servers.get(server);
    if ((state?.underWay ?? 0) > 0 || this.#failures.roomOf(server, this.#now()) > 0) return undefined;
    return this.#paused(server, state ?? this.#begin(server));
  }

  /** Runs an unproven login when there is room for its failure. Rejects as `refusal` says, and with the signal's reason. */
  async spend<T>(server: string, signal: AbortSignal, login: () => Promise<T>): Promise<T> {
    const state = this.#servers.get(server) ?? this.#begin(server);
    state.users += 1;
    try {
      await this.#reserve(server, state, signal);
      try {
        return await this.follow(server, login);
      } finally {
        state.underWay -= 1;
        this.#admit(server, state);
      }
    } finally {
      state.users -= 1;
      if (state.users === 0 && !state.warned) this.#servers.delete(server);
    }
  }

  /** Runs a login with credentials that had succeeded before, whatever the budget is; it counts like any other. */
  async follow<T>(server: string, login: () => Promise<T>): Promise<T> {
    try {
      const result = await login();
      this.#succeeded(server);
      return result;
    } catch (error) {
      if (isRejection(error)) this.#failures.failed(server, this.#now());
      throw error;
    }
  }

  #succeeded(server: string): void {
    this.#failures.forget(server);
    const state = this.#servers.get(server);
    if (state === undefined) return;
    state.warned = false;
    if (state.users === 0) this.#servers.delete(server);
    else this.#admit(server, state);
  }

  #begin(server: string): Server {
    const state = { underWay: 0, waiting: [], users: 0, warned: false };
    this.#servers.set(server, state);
    return state;
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
