/** Whoever waits for an answer, and may hang up before it is there. */

/** As an HTTP request has it. */
export interface Caller {
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
}

/** A caller who has waited for less is not asked. */
const momentMs = 20;

/**
 * Whether a caller who has waited since `sinceMs`, on the clock of performance.now(), has hung up. Bun makes the signal of
 * a request when it is first asked for, which costs more than all the rest of looking up a session; and nearly all
 * messages are written, and many answered, before anybody could have had enough of waiting.
 */
export function hasHungUp(caller: Caller, sinceMs: number): boolean {
  return performance.now() - sinceMs > momentMs && caller.signal.aborted;
}

/** All that has to be known of a caller while the message waits to be written. */
export type HangUp = Pick<AbortSignal, "aborted">;

/** Of a caller who waits from now on. */
export class Patience implements HangUp {
  readonly #caller: Caller;
  readonly #sinceMs = performance.now();

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get aborted(): boolean {
    return hasHungUp(this.#caller, this.#sinceMs);
  }
}
