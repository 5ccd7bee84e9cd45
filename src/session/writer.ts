/** From the ledger onto the link: what has arrived in one turn of the event loop leaves in one write (group commit). */

import type { Ledger } from "../ledger.ts";
import type { OutgoingStanza } from "../link.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Entry } from "./entry.ts";
import type { PresentLink } from "./present-link.ts";
import type { Suspicion } from "./suspicion.ts";
import { countWritable } from "./write-alone.ts";

const maxWriteBytes = 256 * 1024;

export interface WriterParts {
  readonly ledger: Ledger<Entry>;
  readonly suspicion: Suspicion;
  readonly deadlines: Deadlines;
  readonly present: PresentLink;
  /** The caller of this message has hung up, before it was written. */
  withdraw(entry: Entry): void;
}

export class Writer {
  readonly #parts: WriterParts;
  #socketFull = false;
  #scheduled = false;
  /** Something waits that could not be written when it was taken. */
  #heldUp = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** A turn of the event loop lets every request that has arrived by now into the same write. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** The socket takes more, or is another one, on which what was written before may be written again. */
  reopen(): void {
    this.#socketFull = false;
    this.#heldUp = true;
  }

  flush(): void {
    const { ledger, suspicion, present } = this.#parts;
    // What was taken in this very turn is not asked about: src/caller.ts says why.
    if (this.#heldUp) this.withdrawAbandoned();
    this.#heldUp = true;
    while (present.link !== undefined && !this.#socketFull && ledger.hasWaiting) {
      const maxCount = countWritable(ledger, suspicion.suspect, present.link.maxStanzaBytes);
      if (maxCount === 0) return;
      const stanzas = this.#take(maxCount);
      this.#socketFull = !present.link.send(stanzas);
    }
    this.#heldUp = ledger.hasWaiting;
  }

  /** Asked before each later write and every 100 ms: a listener for each message would cost more than all the rest of `send`. */
  withdrawAbandoned(): void {
    const { ledger, withdraw } = this.#parts;
    for (const entry of ledger.waiting.filter(isAbandoned)) withdraw(entry);
  }

  #take(maxCount: number): OutgoingStanza[] {
    const { ledger, deadlines } = this.#parts;
    let bytes = ledger.writtenBytes;
    if (ledger.writtenBytes === 0) deadlines.progressed();
    const writtenAt = new Date();
    const writtenMs = performance.now();
    return ledger.takeWaiting(maxWriteBytes, maxCount).map((entry) => {
      const delayedSince = entry.writtenAt;
      bytes += entry.bytes;
      if (delayedSince === undefined) deadlines.give(entry, bytes);
      entry.writtenAt ??= writtenAt;
      entry.writtenMs ??= writtenMs;
      entry.times.sendMs ??= writtenMs - entry.acceptedMs;
      entry.waitsAgain = false;
      return { stanza: entry.stanza, delayedSince };
    });
  }
}

function isAbandoned({ hangUp }: Entry): boolean {
  return hangUp.aborted;
}
