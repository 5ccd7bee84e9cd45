/**
 * Who may log in now, and what is remembered of how it went: pauses after trouble, throttles, the budget of failures that
 * a server has for us, and the turnstile. Every login and every proof of a password passes here.
 */

import { asFailure, Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Admit, LoginTerms } from "../link.ts";
import { because, type Log } from "../log.ts";
import type { Credentials } from "../message.ts";
import { noTally, type Tally } from "../tally.ts";
import * as answers from "./answers.ts";
import { BoundedMap } from "./bounded-map.ts";
import type { Digest } from "./credential.ts";
import { Pauses } from "./pauses.ts";
import { ServerBudget } from "./server-budget.ts";
import { maxKeys, Throttle, type ThrottleOptions } from "./throttle.ts";
import { Turnstile } from "./turnstile.ts";
import { WaitingTime } from "./waiting-time.ts";

export interface GatekeeperOptions {
  readonly throttle: ThrottleOptions;
  /** Milliseconds for a login, queueing included. */
  readonly loginTimeoutMs: number;
  /** Logins and proofs at a time. */
  readonly loginConcurrency: number;
  /** How many domains may log in now; with more than one, none may take more than half of the places. */
  domains(): number;
  /** The XMPP server's address as connected to a moment ago, whose own ban tables know us; undefined where it was not. */
  serverOf(domain: string): string | undefined;
  readonly log: Log;
  readonly tally?: Tally;
}

/** Who asks: what came with a request. */
export interface Caller {
  readonly credentials: Credentials;
  readonly digest: Digest;
  /** As far as throttles tell callers apart. */
  readonly address: string;
}

/** Of the places for logins, what those get together whose password nobody has seen succeed. */
const unprovenShare = 0.75;
/** So many of them keep one server's budget of failures in use, while the others connect. */
const enoughForOneServer = 6;

export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #tally: Tally;
  readonly #throttle: Throttle;
  readonly #pauses = new Pauses();
  readonly #budget: ServerBudget;
  readonly #turnstile: Turnstile;
  /** Before it, for who may be guessing: some of the places are left to those who have logged in before. */
  readonly #unproven: Turnstile;
  /** Bare JID -> digest of the credentials that this process has last seen succeed, if they have not failed since. */
  readonly #known = new BoundedMap<string>(maxKeys);
  /** Of what is under way. */
  readonly #limits = new Set<AbortController>();

  constructor(options: GatekeeperOptions) {
    this.#options = options;
    this.#tally = options.tally ?? noTally;
    this.#throttle = new Throttle(options.throttle);
    this.#budget = new ServerBudget(options.throttle, (server) => this.#warnSpent(server));
    const { loginConcurrency: places, domains } = options;
    const half = (all: number) => (domains() > 1 ? Math.max(1, Math.floor(all / 2)) : all);
    this.#turnstile = new Turnstile(places, () => half(places));
    const unproven = Math.max(1, Math.floor(places * unprovenShare));
    const fair = () => Math.max(enoughForOneServer, Math.floor(unproven / Math.max(1, domains())));
    this.#unproven = new Turnstile(unproven, () => Math.min(half(unproven), fair()));
  }

  /** 429; undefined: they may try, as those that are known always may. */
  throttled(caller: Caller): Failure | undefined {
    if (this.knows(caller)) return undefined;
    this.#countGuess(caller);
    const refusal = this.#throttle.check(caller.credentials.account, caller.address);
    if (refusal !== undefined) this.#tally.throttled("throttled");
    return refusal;
  }

  /** The account is used from this address. */
  welcome({ credentials, address }: Caller): void {
    this.#throttle.welcome(credentials.account, address);
  }

  /** It was lately, and nobody is guessing there. */
  isWelcome({ credentials, address }: Caller): boolean {
    return this.#throttle.isWelcome(credentials.account, address);
  }

  /** These very credentials have worked last, and the account has been used from this address. */
  knows(caller: Caller): boolean {
    return this.#known.get(caller.credentials.account.bare) === caller.digest.text && this.isWelcome(caller);
  }

  /** Why the account is left in peace for a while, after the server has ended its session; for its owner only. */
  rest(account: Jid): Failure | undefined {
    return this.#pauses.checkEnded(account);
  }

  /** Why nothing may be connected for the account now. */
  pause(account: Jid): Failure | undefined {
    return this.#pauses.check(account);
  }

  /** Why a login would not be tried; to be asked before `pass`. */
  refusal(caller: Caller): Failure | undefined {
    const { account } = caller.credentials;
    if (this.#throttle.remembers(caller.digest)) {
      this.#tally.throttled("remembered");
      return answers.rejected(account);
    }
    return this.#notNow(caller);
  }

  /** To be asked when a caller comes, and again when his turn has come: thousands may come before the first has failed. */
  #notNow(caller: Caller): Failure | undefined {
    const paused = this.pause(caller.credentials.account);
    if (paused === undefined) return this.throttled(caller);
    this.#countGuess(caller);
    return paused;
  }

  /** As it comes, and not as it fails: of a thousand that come at once, or while nothing is tried, none has. */
  #countGuess({ credentials: { account }, digest, address }: Caller): void {
    if (this.#known.get(account.bare) !== digest.text) this.#throttle.guessed(account, digest, address);
  }

  /** Runs a login, or a proof, when it is its turn. Rejects with a Failure. */
  async pass<T>(caller: Caller, login: (terms: LoginTerms) => Promise<T>): Promise<T> {
    const { domain, bare } = caller.credentials.account;
    const startedMs = performance.now();
    const time = new WaitingTime();
    try {
      const result = await this.#withTimeout(domain, (signal) =>
        this.#inTurn(caller, signal, () => {
          time.end();
          return login({ signal, admit: this.#admission(caller, time, signal) });
        }),
      );
      this.#succeeded(caller);
      const ms = Math.round(performance.now() - startedMs);
      this.#options.log.info({ domain, from: bare, client: caller.address, ms }, "logged in");
      return result;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === "logins_paused") this.#tally.throttled("logins_paused");
      throw time.waiting ? failure : this.#failed(caller, failure, startedMs, time.ms);
    }
  }

  /** A live session ended. Where the server did not want it, its password has to be proven anew: the account may be gone. */
  sessionEnded(account: Jid, digest: Digest | undefined, reason: Failure): void {
    this.#pauses.ended(account, reason);
    if (digest !== undefined && this.rest(account) !== undefined) this.#forget(account, digest);
  }

  /** Ends everything that is under way. */
  giveUp(reason: Failure): void {
    for (const limit of this.#limits) limit.abort(reason);
  }

  #inTurn<T>(caller: Caller, signal: AbortSignal, login: () => Promise<T>): Promise<T> {
    const { domain } = caller.credentials.account;
    const { serverOf } = this.#options;
    const inTurn = () => this.#turnstile.pass(domain, signal, login);
    if (this.knows(caller)) return inTurn();
    return this.#unproven.pass(serverOf(domain) ?? domain, signal, async () => {
      if (this.knows(caller)) return inTurn();
      // Nothing is connected for what could not be tried there.
      const server = serverOf(domain);
      const refusal = this.#notNow(caller) ?? (server === undefined ? undefined : this.#budget.refusal(server));
      if (refusal !== undefined) throw refusal;
      return inTurn();
    });
  }

  #admission(caller: Caller, time: WaitingTime, signal: AbortSignal): Admit {
    return (server, authenticate, over) => {
      if (this.knows(caller)) return this.#budget.follow(server, authenticate);
      time.begin();
      return this.#budget.spend(server, AbortSignal.any([signal, over]), async () => {
        const refusal = this.#notNow(caller);
        if (refusal !== undefined) throw refusal;
        time.end();
        return authenticate();
      });
    };
  }

  #forget({ bare }: Jid, digest: Digest): void {
    if (this.#known.get(bare) === digest.text) this.#known.delete(bare);
  }

  #succeeded(caller: Caller): void {
    const { account } = caller.credentials;
    this.#known.set(account.bare, caller.digest.text);
    this.#throttle.succeeded(account, caller.digest, caller.address);
    this.#pauses.succeeded(account);
  }

  #failed(caller: Caller, failure: Failure, startedMs: number, waitedMs: number): Failure {
    const { account } = caller.credentials;
    const { code, message: reason } = failure;
    const ms = Math.round(performance.now() - startedMs);
    const sentence = code === "host_unknown" ? "login failed: configuration error" : "login failed";
    const { domain, bare: from } = account;
    const line = { domain, from, client: caller.address, ms, code, reason, ...because(failure) };
    this.#options.log.warn(line, sentence);
    if (code !== "credentials_rejected") {
      // Most of whose time went by before its turn came says nothing about the account, and must not keep its owner out.
      const waited = waitedMs > this.#options.loginTimeoutMs / 2;
      if (code !== "login_timeout" || !waited) this.#pauses.failed(account, failure);
      return failure;
    }
    this.#forget(account, caller.digest);
    this.#throttle.failed(account, caller.digest, caller.address);
    return answers.rejected(account, failure.cause);
  }

  async #withTimeout<T>(domain: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { loginTimeoutMs } = this.#options;
    const limit = new AbortController();
    this.#limits.add(limit);
    const late = () =>
      new Failure("login_timeout", `The login at "${domain}" was not done within ${loginTimeoutMs / 1000} s.`);
    const timer = setTimeout(() => limit.abort(late()), loginTimeoutMs);
    try {
      return await run(limit.signal);
    } finally {
      clearTimeout(timer);
      this.#limits.delete(limit);
    }
  }

  #warnSpent(server: string): void {
    this.#options.log.warn(
      { server },
      "Too many logins have failed at this server; only credentials that have worked before are tried now. To end this for good, let the server leave this machine alone (ejabberd: an ACL for mod_fail2ban; Prosody: a higher limit_auth_max), and then raise server_failures and server_failures_burst.",
    );
  }
}
