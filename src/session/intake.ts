/** What a session takes, and from then on owes an answer for. */

import type { HangUp } from "../caller.ts";
import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Ledger } from "../ledger.ts";
import * as answers from "./answers.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Entry, Outgoing, SessionOptions } from "./entry.ts";
import type { PresentLink } from "./present-link.ts";
import type { Stay } from "./stay.ts";
import type { Writer } from "./writer.ts";

export interface IntakeParts extends Pick<SessionOptions, "maxPending" | "maxPendingBytes"> {
  readonly account: Jid;
  readonly ledger: Ledger<Entry>;
  readonly deadlines: Deadlines;
  readonly present: PresentLink;
  readonly writer: Writer;
}

export class Intake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Resolves and rejects with the message's answer. `stay`: it is said in a room. */
  take(outgoing: Outgoing, hangUp: HangUp, stay?: Stay): Promise<void> {
    const { ledger, deadlines, writer } = this.#parts;
    const { id, to, stanza, times = {} } = outgoing;
    const bytes = Buffer.byteLength(stanza);
    const refusal = this.#refusalOf(outgoing, bytes, hangUp);
    if (refusal !== undefined) return Promise.reject(refusal);
    const acceptedMs = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: Entry = { id, to, bytes, stanza, times, acceptedMs, resolve, reject, deadlineMs: 0, hangUp };
    if (stay !== undefined) Object.assign(entry, { stay, needsCopy: to.resource === undefined });
    ledger.accept(entry);
    deadlines.give(entry, ledger.bytes);
    writer.schedule();
    return promise;
  }

  #refusalOf({ id, to }: Outgoing, bytes: number, hangUp: HangUp): Failure | undefined {
    const { account, ledger, present, maxPending, maxPendingBytes } = this.#parts;
    const limit = present.link?.maxStanzaBytes;
    if (hangUp.aborted) return answers.withdrawn(to, "its caller hung up");
    if (ledger.has(id)) return answers.idInUse(id);
    if (limit !== undefined && bytes > limit) return answers.tooLarge(bytes, limit);
    const full = ledger.size >= maxPending || ledger.bytes + bytes > maxPendingBytes;
    return full ? answers.queueFull(account, ledger.size) : undefined;
  }
}
