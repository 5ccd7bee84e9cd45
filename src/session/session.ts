/**
 * One account's live session: messages in, in order, in one write a turn of the event loop (group commit); answers out as
 * the server acknowledges, bounces or stays silent. It ends with its link and is not used again.
 */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { Ledger, type LedgerEntry } from "../ledger.ts";
import type { Bounce, Link, LinkEvents } from "../link.ts";

export interface SessionOptions {
  /** Milliseconds from the write to the acknowledgement, beside the time that the bytes themselves may take. */
  readonly ackTimeoutMs: number;
  readonly maxPending: number;
  readonly maxPendingBytes: number;
}

/** One message for the wire. */
export interface Outgoing {
  readonly id: string;
  readonly to: Jid;
  readonly stanza: string;
}

interface Entry extends LedgerEntry {
  readonly stanza: string;
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
}

/** What servers are known to let through at the least: ejabberd's default shaper lets about 3 kB a second pass. */
const slowestServerBytesPerMs = 3;
const deadlineCheckMs = 100;
const maxWriteBytes = 256 * 1024;

export class Session {
  readonly account: Jid;
  /** Resolves when the link has ended, with the reason. */
  readonly ended: Promise<Failure>;
  /** On the clock of performance.now(). */
  lastUsedMs = performance.now();

  readonly #options: SessionOptions;
  readonly #ledger = new Ledger<Entry>();
  readonly #resolveEnded: (reason: Failure) => void;
  #link: Link | undefined;
  #lostBecause: Failure | undefined;
  #socketFull = false;
  #flushScheduled = false;
  #deadlineTimer: ReturnType<typeof setInterval> | undefined;

  constructor(account: Jid, options: SessionOptions) {
    this.account = account;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<Failure>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /** For the login that gives this session its link. */
  readonly events: LinkEvents = {
    acknowledged: (count) => this.#acknowledged(count),
    bounced: (bounce) => this.#bounced(bounce),
    drained: () => this.#drained(),
    lost: (reason) => this.#lost(reason),
  };

  begin(link: Link): void {
    this.#link = link;
    this.lastUsedMs = performance.now();
  }

  get live(): boolean {
    return this.#link !== undefined && this.#lostBecause === undefined;
  }

  /** Its link has ended; no message can be given to it. */
  get over(): boolean {
    return this.#lostBecause !== undefined;
  }

  get busy(): boolean {
    return this.#ledger.size > 0;
  }

  /**
   * Resolves when the server has acknowledged the message. Rejects with its bounce; with `stream_closed` when the link
   * ended before the message was written (it may be given to another session); with `connection_lost` or `ack_timeout`
   * when nobody can tell; with `overloaded` at once. `signal`: the caller has hung up.
   */
  send({ id, to, stanza }: Outgoing, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.byteLength(stanza);
    const refusal = this.#refuse(id, to, bytes, signal);
    if (refusal !== undefined) return Promise.reject(refusal);
    this.lastUsedMs = performance.now();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: Entry = { id, to, bytes, stanza, resolve, reject, deadlineMs: 0 };
    this.#ledger.accept(entry);
    entry.deadlineMs = this.#deadline();
    const hangUp = () => this.#withdraw(entry, "its caller hung up");
    signal.addEventListener("abort", hangUp, { once: true });
    this.#deadlineTimer ??= setInterval(() => this.#checkDeadlines(), deadlineCheckMs);
    this.#scheduleFlush();
    return promise.finally(() => signal.removeEventListener("abort", hangUp));
  }

  /** Closes the stream properly. What is unanswered then is answered as for a lost connection. */
  async close(): Promise<void> {
    if (this.live) await this.#link?.close();
  }

  /** Answers at once whatever is still open, and closes nothing; for the end of a shutdown. */
  giveUp(): void {
    const { written, waiting } = this.#ledger.abandon();
    this.#stopDeadlines();
    for (const { reject, to } of written) {
      const detail = `post-msg was stopped before the message to "${to.full}" was acknowledged; it may or may not have been sent.`;
      reject(new Failure("shutdown_unacknowledged", detail));
    }
    for (const { reject, to } of waiting) {
      reject(new Failure("shutting_down", `post-msg was stopped before the message to "${to.full}" was sent.`));
    }
  }

  #refuse(id: string, to: Jid, bytes: number, signal: AbortSignal): Failure | undefined {
    if (this.#lostBecause !== undefined) return this.#closedFailure();
    if (signal.aborted) return withdrawn(to, "its caller hung up");
    const { size } = this.#ledger;
    if (this.#ledger.has(id)) {
      return new Failure("conflict", `A message with the id "${id}" is on its way already; each needs its own.`);
    }
    const { maxPending, maxPendingBytes } = this.#options;
    if (size < maxPending && this.#ledger.bytes + bytes <= maxPendingBytes) return undefined;
    const detail = `"${this.account.bare}" has ${size} messages on their way, which is all that is kept for one account.`;
    return new Failure("overloaded", detail);
  }

  /** A turn of the event loop lets every request that has arrived by now into the same write. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.live && !this.#socketFull && this.#ledger.hasWaiting) {
      const batch = this.#ledger.takeWaiting(maxWriteBytes);
      const deadlineMs = this.#deadline();
      for (const entry of batch) entry.deadlineMs = deadlineMs;
      this.#socketFull = this.#link?.send(batch.map((entry) => entry.stanza)) === false;
    }
  }

  #drained(): void {
    this.#socketFull = false;
    this.#flush();
  }

  /** For a message behind everything that is on its way: a rate-limited server is slow and not dead. */
  #deadline(): number {
    return performance.now() + this.#options.ackTimeoutMs + this.#ledger.bytes / slowestServerBytesPerMs;
  }

  #acknowledged(count: number): void {
    for (const entry of this.#ledger.acknowledge(count)) entry.resolve();
    this.#stopDeadlinesIfIdle();
  }

  #bounced({ id, from, failure }: Bounce): void {
    this.#ledger.bounce(id, from, this.account.domain)?.reject(failure);
    this.#stopDeadlinesIfIdle();
  }

  #lost(reason: Failure): void {
    this.#lostBecause = reason;
    this.#stopDeadlines();
    const { written, waiting } = this.#ledger.abandon();
    for (const { reject, to } of written) {
      const detail = `The connection to the XMPP server of "${this.account.domain}" was lost before it acknowledged the message to "${to.full}", which may or may not have been sent.`;
      reject(new Failure("connection_lost", detail, { cause: reason }));
    }
    for (const { reject } of waiting) reject(this.#closedFailure());
    this.#resolveEnded(reason);
  }

  #checkDeadlines(): void {
    const { waiting, written } = this.#ledger.overdue(performance.now());
    for (const entry of waiting) this.#withdraw(entry, "the connection took no more data in time");
    const [first] = written;
    if (first === undefined) return this.#stopDeadlinesIfIdle();
    // Acknowledgements come in order: nothing behind this message will be acknowledged on this stream either.
    const detail = `The XMPP server of "${this.account.domain}" did not acknowledge the message to "${first.to.full}" in time; it may or may not have been sent.`;
    const silence = new Failure("ack_timeout", detail);
    first.reject(silence);
    this.#link?.abort(silence);
  }

  #withdraw(entry: Entry, why: string): void {
    if (this.#ledger.withdraw(entry)) entry.reject(withdrawn(entry.to, why));
  }

  #closedFailure(): Failure {
    const detail = `The connection to the XMPP server of "${this.account.domain}" ended before the message was sent.`;
    return new Failure("stream_closed", detail, { cause: this.#lostBecause });
  }

  #stopDeadlinesIfIdle(): void {
    if (!this.busy) this.#stopDeadlines();
  }

  #stopDeadlines(): void {
    clearInterval(this.#deadlineTimer);
    this.#deadlineTimer = undefined;
  }
}

function withdrawn(to: Jid, why: string): Failure {
  return new Failure("withdrawn", `The message to "${to.full}" was not sent, because ${why}.`);
}
