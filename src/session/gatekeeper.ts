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

export interface GatekeeperOptions {
  readonly throttle: ThrottleOptions;
  /** Milliseconds for a login, queueing included. */
  readonly loginTimeoutMs: number;
  /** Logins and proofs at a time. */
  readonly loginConcurrency: number;
  /** How many domains may log in now; with more than one, none may take more than half of the places. */
  domains(): number;
  /** The XMPP server's address as last connected to, whose own ban tables know us; undefined until then. */
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

/** Of the places for logins. */
const unprovenShare = 0.75;

export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #tally: Tally;
  readonly #throttle: Throttle;
  readonly #pauses = new Pauses();
  readonly #budget: ServerBudget;
  readonly #turnstile: Turnstile;
  /** Before it, for who may be guessing: some of the places are left to those who have logged in before. */
  readonly #unproven: Turnstile;
  /** Credentials that this process has seen succeed. */
  readonly #known = new BoundedMap<true>(maxKeys);
  /** Of what is under way. */
  readonly #limits = new Set<AbortController>();

  constructor(options: GatekeeperOptions) {
    this.#options = options;
    this.#tally = options.tally ?? noTally;
    this.#throttle = new Throttle(options.throttle);
    this.#budget = new ServerBudget(options.throttle, (server) => this.#warnSpent(server));
    const { loginConcurrency, domains } = options;
    const withPlaces = (places: number) =>
      new Turnstile(places, () => (domains() > 1 ? Math.max(1, Math.floor(places / 2)) : places));
    this.#turnstile = withPlaces(loginConcurrency);
    this.#unproven = withPlaces(Math.max(1, Math.floor(loginConcurrency * unprovenShare)));
  }

  /** 429; undefined: they may try, as those that have worked from the same address always may. */
  throttled(caller: Caller): Failure | undefined {
    const { account } = caller.credentials;
    if (this.#throttle.isWelcome(account, caller.address) && this.knows(caller)) return undefined;
    const refusal = this.#throttle.check(account, caller.address);
    if (refusal !== undefined) this.#tally.throttled("throttled");
    return refusal;
  }

  /** The account is used from this address. */
  welcome(caller: Caller): void {
    this.#throttle.welcome(caller.credentials.account, caller.address);
  }

  /** These very credentials have worked, and have not failed since. */
  knows(caller: Caller): boolean {
    return this.#known.get(keyOf(caller)) !== undefined;
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
    return this.pause(account) ?? this.throttled(caller);
  }

  /** Runs a login, or a proof, when it is its turn. Rejects with a Failure. */
  async pass<T>(caller: Caller, login: (terms: LoginTerms) => Promise<T>): Promise<T> {
    const { domain, bare } = caller.credentials.account;
    const startedMs = performance.now();
    /** Since when it waits for nobody but the server. */
    let triedMs: number | undefined;
    const tryIt = <R>(work: () => Promise<R>) => {
      triedMs = performance.now();
      return work();
    };
    try {
      const result = await this.#withTimeout(domain, (signal) => {
        const admit: Admit = (server, authenticate) => {
          if (this.knows(caller)) return this.#budget.follow(server, authenticate);
          triedMs = undefined;
          return this.#budget.spend(server, signal, () => tryIt(authenticate));
        };
        return this.#inTurn(caller, signal, () => tryIt(() => login({ signal, admit })));
      });
      this.#succeeded(caller);
      const ms = Math.round(performance.now() - startedMs);
      this.#options.log.info({ domain, from: bare, client: caller.address, ms }, "logged in");
      return result;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === "logins_paused") this.#tally.throttled("logins_paused");
      throw triedMs === undefined ? failure : this.#failed(caller, failure, startedMs, triedMs);
    }
  }

  /** A live session ended. Where the server did not want it, its password has to be proven anew: the account may be gone. */
  sessionEnded(account: Jid, digest: Digest | undefined, reason: Failure): void {
    this.#pauses.ended(account, reason);
    if (digest !== undefined && this.rest(account) !== undefined) this.#known.delete(digest.text);
  }

  /** Ends everything that is under way. */
  giveUp(reason: Failure): void {
    for (const limit of this.#limits) limit.abort(reason);
  }

  /** Resolves at the next multiple of failure_delay after `startedMs`, so that the time tells nothing about the reason. */
  async untilGrid(startedMs: number): Promise<void> {
    const { failureDelayMs } = this.#options.throttle;
    if (failureDelayMs === 0) return;
    const tookMs = performance.now() - startedMs;
    await Bun.sleep(Math.ceil(tookMs / failureDelayMs) * failureDelayMs - tookMs);
  }

  #inTurn<T>(caller: Caller, signal: AbortSignal, login: () => Promise<T>): Promise<T> {
    const { domain } = caller.credentials.account;
    const inTurn = () => this.#turnstile.pass(domain, signal, login);
    if (this.knows(caller)) return inTurn();
    return this.#unproven.pass(domain, signal, async () => {
      // Nothing is connected for what could not be tried there.
      const server = this.#options.serverOf(domain);
      const refusal = server === undefined ? undefined : this.#budget.refusal(server);
      if (refusal !== undefined) throw refusal;
      return inTurn();
    });
  }

  #succeeded(caller: Caller): void {
    const { account } = caller.credentials;
    this.#known.set(keyOf(caller), true);
    this.#throttle.succeeded(account, caller.digest, caller.address);
    this.#pauses.succeeded(account);
  }

  #failed(caller: Caller, failure: Failure, startedMs: number, triedMs: number): Failure {
    const { account } = caller.credentials;
    const { code, message: reason } = failure;
    const ms = Math.round(performance.now() - startedMs);
    const sentence = code === "host_unknown" ? "login failed: configuration error" : "login failed";
    const { domain, bare: from } = account;
    const line = { domain, from, client: caller.address, ms, code, reason, ...because(failure) };
    this.#options.log.warn(line, sentence);
    if (code !== "credentials_rejected") {
      // Most of whose time went by before its turn came says nothing about the account, and must not keep its owner out.
      const waited = triedMs - startedMs > this.#options.loginTimeoutMs / 2;
      if (code !== "login_timeout" || !waited) this.#pauses.failed(account, failure);
      return failure;
    }
    this.#known.delete(keyOf(caller));
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
      "Too many logins have failed at this server; only credentials that have worked before are tried now. To end this for good, add this machine's address to the allow list of the server's ban module (ejabberd: mod_fail2ban and an ACL; Prosody: mod_limit_auth).",
    );
  }
}

function keyOf({ digest }: Caller): string {
  return digest.text;
}
