/**
 * How much of what was sent on a stream the server has handled. XEP-0198 counts stanzas of every kind, the session only
 * its messages, so this remembers for each unacknowledged stanza whether it was one. Pure.
 */

import { Failure } from "../errors.ts";

export type StanzaKind = "message" | "other";

/** Stanzas of one kind in a row. A server that asks a million times and acknowledges nothing fills one of these. */
interface Run {
  readonly kind: StanzaKind;
  count: number;
}

export class OutboundCount {
  /** Sent and not acknowledged, oldest first. */
  readonly #runs: Run[] = [];
  #unacknowledged = 0;
  /** The server's last `h`, modulo 2^32 (XEP-0198 section 4). */
  #handled: number;

  /** `handled`: the `h` that the stream begins with. */
  constructor(handled = 0) {
    this.#handled = handled;
  }

  /** The `h` that will cover everything sent so far. */
  get total(): number {
    return (this.#handled + this.#unacknowledged) >>> 0;
  }

  sent(kind: StanzaKind, count = 1): void {
    const last = this.#runs.at(-1);
    if (last?.kind === kind) last.count += count;
    else this.#runs.push({ kind, count });
    this.#unacknowledged += count;
  }

  /** How many messages this `h` acknowledges anew. Throws a Failure when the server claims more, or less, than can be. */
  acknowledge(handled: number): number {
    const count = (handled - this.#handled) >>> 0;
    if (count > this.#unacknowledged) {
      throw new Failure(
        "protocol_error",
        `The XMPP server acknowledged ${handled} stanzas, where ${this.#handled} to ${this.total} was possible.`,
      );
    }
    this.#handled = handled;
    this.#unacknowledged -= count;
    let messages = 0;
    let left = count;
    let done = 0;
    for (const run of this.#runs) {
      const covered = Math.min(left, run.count);
      if (run.kind === "message") messages += covered;
      run.count -= covered;
      left -= covered;
      if (run.count > 0) break;
      done += 1;
    }
    this.#runs.splice(0, done);
    return messages;
  }
}
