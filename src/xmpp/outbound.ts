/**
 * How much of what was sent on a stream the server has handled. XEP-0198 counts stanzas of every kind, the session only
 * its messages, so this remembers for each unacknowledged stanza whether it was one. Pure.
 */

import { Failure } from "../errors.ts";

export type StanzaKind = "message" | "other";

export class OutboundCount {
  /** Sent and not acknowledged, oldest first. */
  readonly #unacknowledged: StanzaKind[] = [];
  /** The server's last `h`, modulo 2^32 (XEP-0198 section 4). */
  #handled: number;

  /** `handled`: the `h` that the stream begins with. */
  constructor(handled = 0) {
    this.#handled = handled;
  }

  /** The `h` that will cover everything sent so far. */
  get total(): number {
    return (this.#handled + this.#unacknowledged.length) >>> 0;
  }

  sent(kind: StanzaKind, count = 1): void {
    for (let i = 0; i < count; i++) this.#unacknowledged.push(kind);
  }

  /** How many messages this `h` acknowledges anew. Throws a Failure when the server claims more, or less, than can be. */
  acknowledge(handled: number): number {
    const count = (handled - this.#handled) >>> 0;
    if (count > this.#unacknowledged.length) {
      throw new Failure(
        "protocol_error",
        `The XMPP server acknowledged ${handled} stanzas, where ${this.#handled} to ${this.total} was possible.`,
      );
    }
    this.#handled = handled;
    return this.#unacknowledged.splice(0, count).filter((kind) => kind === "message").length;
  }
}
