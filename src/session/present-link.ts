/** The link that a session has at the moment, or the one that is coming back, for whoever needs one. */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Link } from "../link.ts";
import * as answers from "./answers.ts";

export class PresentLink {
  readonly #account: Jid;
  readonly #patienceMs: number;
  #link: Link | undefined;
  #next: PromiseWithResolvers<Link> | undefined;
  #away: Failure | undefined;

  /** `patienceMs`: how long anybody waits for a link to come back. */
  constructor(account: Jid, patienceMs: number) {
    this.#account = account;
    this.#patienceMs = patienceMs;
  }

  get link(): Link | undefined {
    return this.#link;
  }

  /** Another one is being fetched. */
  get expected(): boolean {
    return this.#next !== undefined;
  }

  /** How long a refusal may follow what the server has acknowledged. */
  get graceMs(): number {
    return this.#link?.graceMs ?? 0;
  }

  /** Why the one that is expected is not there yet, if that is known. */
  get away(): Failure | undefined {
    return this.#away;
  }

  set(link: Link): void {
    this.#link = link;
    this.#away = undefined;
    this.#next?.resolve(link);
    this.#next = undefined;
  }

  /** Returns it. */
  lose(): Link | undefined {
    const link = this.#link;
    this.#link = undefined;
    return link;
  }

  /** From now on another one is being fetched. */
  expect(): void {
    this.#next ??= Promise.withResolvers<Link>();
    // Nobody may be waiting.
    this.#next.promise.catch(() => {});
  }

  /** An attempt to fetch it was in vain; others follow. */
  missed(why: Failure): void {
    this.#away = why;
  }

  /** There will be no other. */
  end(reason: Failure): void {
    this.#next?.reject(reason);
    this.#next = undefined;
  }

  /** Rejects with `stream_closed` when there is none and none is coming. */
  async get(): Promise<Link> {
    if (this.#link !== undefined) return this.#link;
    if (this.#next === undefined) throw answers.closed(this.#account, undefined);
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(answers.notBack(this.#account, this.#away)), this.#patienceMs);
    try {
      return await Promise.race([this.#next.promise, promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
