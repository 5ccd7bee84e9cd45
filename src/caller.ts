/** Whoever waits for an answer, and may hang up before it is there. */

/** As an HTTP request has it. */
export interface Caller {
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
}

/** All that has to be known of a caller while the message waits to be written. */
export type HangUp = Pick<AbortSignal, "aborted">;

/**
 * Whether a caller has hung up since the message was given. Bun makes the signal of a request when it is first asked for,
 * which costs more than looking up the session does; and in the turn of the event loop that the request came in, in which
 * nearly all messages are written, next to nothing can have been heard of its caller.
 */
export class Patience implements HangUp {
  readonly #caller: Caller;
  readonly #since = thisTurn();

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  get aborted(): boolean {
    return this.#since !== turn && this.#caller.signal.aborted;
  }
}

let turn = 0;
let ends = false;

function thisTurn(): number {
  if (!ends) {
    ends = true;
    setImmediate(() => {
      ends = false;
      turn += 1;
    });
  }
  return turn;
}
