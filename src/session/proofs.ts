/**
 * Proofs of passwords: logins that bind no resource, for an account that has a live session. What the server says is
 * written down for that session, which does not notice.
 */

import { Failure } from "../errors.ts";
import type { Verify } from "../link.ts";
import { sameDigest } from "./credential.ts";
import type { Caller, Gatekeeper } from "./gatekeeper.ts";
import type { Slot } from "./slot.ts";

export interface ProofsOptions {
  readonly verify: Verify;
  readonly gate: Gatekeeper;
  slotOf(bareJid: string): Slot | undefined;
}

export class Proofs {
  readonly #options: ProofsOptions;
  /** Those under way, so that fifty requests with the same password make one login. */
  readonly #running = new Map<string, Promise<Slot | undefined>>();

  constructor(options: ProofsOptions) {
    this.#options = options;
  }

  /**
   * Shared by all who bring the same password, and where it is not known, from the same address. Resolves with the slot that
   * the proof vouches for: the one whose session was live when it began; rejects with a Failure.
   */
  prove(caller: Caller): Promise<Slot | undefined> {
    const { text } = caller.digest;
    const key = this.#options.gate.knows(caller) ? text : `${caller.address} ${text}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const refusal = this.#options.gate.refusal(caller);
    if (refusal !== undefined) return Promise.reject(refusal);
    const proof = this.#login(caller).finally(() => this.#running.delete(key));
    this.#running.set(key, proof);
    return proof;
  }

  async #login(caller: Caller): Promise<Slot | undefined> {
    const { gate, verify, slotOf } = this.#options;
    const { credentials, digest } = caller;
    // A session that begins while this runs has a newer word of the server on its password than this proof.
    const slot = slotOf(credentials.account.bare);
    const begun = slot?.session.begun ? slot : undefined;
    const startedMs = performance.now();
    try {
      await gate.pass(caller, (terms) => verify(credentials, terms));
    } catch (error) {
      const rejected = error instanceof Failure && error.code === "credentials_rejected";
      if (rejected && begun?.digest && sameDigest(begun.digest, digest)) {
        begun.digest = undefined;
        begun.provenMs = Math.max(begun.provenMs, startedMs);
      }
      throw error;
    }
    // For those who wait here it counts; for later ones, what the server has said to a question asked later.
    if (begun !== undefined && begun.provenMs <= startedMs) Object.assign(begun, { digest, provenMs: startedMs });
    return begun;
  }
}
