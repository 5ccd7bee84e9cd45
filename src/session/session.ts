/**
 * One account's session: messages in, in order, in one write a turn of the event loop (group commit); answers out as the
 * server acknowledges, refuses or stays silent. It outlives a lost connection for as long as somebody waits for an answer.
 */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { Ledger } from "../ledger.ts";
import type { Bounce, Link, LinkEvents, Reconnection } from "../link.ts";
import * as answers from "./answers.ts";
import { Deadlines } from "./deadlines.ts";
import type { Entry, Outgoing, SessionOptions } from "./entry.ts";
import { Receipts, type Watch } from "./receipts.ts";
import { canRecover, isComplaint, recover } from "./recovery.ts";
import { countWritable, isHeldUp } from "./write-alone.ts";

const maxWriteBytes = 256 * 1024;

export class Session {
  readonly account: Jid;
  /** Resolves when the session is over, with the reason. */
  readonly ended: Promise<Failure>;
  /** On the clock of performance.now(). */
  lastUsedMs = performance.now();

  readonly #options: SessionOptions;
  readonly #ledger = new Ledger<Entry>();
  readonly #deadlines: Deadlines;
  readonly #receipts: Receipts;
  readonly #resolveEnded: (reason: Failure) => void;
  #link: Link | undefined;
  #endedBecause: Failure | undefined;
  #begun = false;
  #closing = false;
  /** No more messages are taken. */
  #finishing = false;
  #socketFull = false;
  #flushScheduled = false;
  /** How many connections have come back since a message last got through. */
  #fruitless = 0;
  /** What the server has ended a stream over; written alone until it is settled. */
  #suspect: Entry | undefined;

  constructor(account: Jid, options: SessionOptions) {
    this.account = account;
    this.#options = options;
    this.#receipts = new Receipts(account.domain);
    this.#deadlines = new Deadlines(options.ackTimeoutMs, () => this.#checkDeadlines());
    const { promise, resolve } = Promise.withResolvers<Failure>();
    this.ended = promise;
    this.#resolveEnded = resolve;
  }

  /** For the login that gives this session its link, and for all later links. */
  readonly events: LinkEvents = {
    acknowledged: (count) => {
      this.#fruitless = 0;
      this.#deadlines.progressed();
      const heldUp = isHeldUp(this.#ledger);
      this.#ledger.acknowledge(count);
      this.#conclude();
      if (heldUp) this.#flush();
    },
    echoed: (count) => {
      this.#ledger.echo(count);
      this.#conclude();
    },
    bounced: (bounce) => this.#bounced(bounce),
    received: (receipt) => this.#receipts.received(receipt),
    drained: () => {
      this.#socketFull = false;
      this.#flush();
    },
    lost: (reason) => this.#lost(reason),
  };

  begin(link: Link): void {
    this.#begun = true;
    this.#link = link;
    this.lastUsedMs = performance.now();
  }

  get live(): boolean {
    return this.#link !== undefined && this.#endedBecause === undefined;
  }

  /** It has logged in once, and may have lost its connection since. */
  get begun(): boolean {
    return this.#begun;
  }

  /** No message can be given to it any more. */
  get over(): boolean {
    return this.#endedBecause !== undefined;
  }

  get busy(): boolean {
    return this.#ledger.size > 0;
  }

  /** Messages that owe an answer. */
  get pending(): number {
    return this.#ledger.size;
  }

  /** Bytes that the server has not acknowledged. */
  get pendingBytes(): number {
    return this.#ledger.bytes;
  }

  /**
   * Resolves when the server has taken the message and, where it may still refuse it then, has had the time to. Rejects
   * with its refusal; with `stream_closed` when the session ended before the message was written (it may be given to
   * another one); with `connection_lost` or `ack_timeout` when nobody can tell; with `overloaded` at once. `signal`: the
   * caller has hung up.
   */
  send({ id, to, stanza, times = {} }: Outgoing, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.byteLength(stanza);
    const refusal = this.#refuse(id, to, bytes, signal);
    if (refusal !== undefined) return Promise.reject(refusal);
    const acceptedMs = performance.now();
    this.lastUsedMs = acceptedMs;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: Entry = { id, to, bytes, stanza, times, acceptedMs, resolve, reject, deadlineMs: 0, signal };
    this.#ledger.accept(entry);
    this.#deadlines.give(entry, this.#ledger.bytes);
    this.#scheduleFlush();
    return promise;
  }

  /** From before `send` on: what still comes back for a message after it was taken. */
  watch(id: string, to: Jid): Watch {
    return this.#receipts.watch(id, to);
  }

  /** Closes the stream properly. What is unanswered then is answered as for a lost connection. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#link !== undefined) await this.#link.close();
    else if (!this.over) this.#end(new Failure("stream_closed", "The session was closed."));
  }

  /** Takes no more messages, and closes the stream when it owes no answer any more. */
  finish(): void {
    this.#finishing = true;
    if (!this.busy) void this.close();
  }

  /** Answers at once whatever is still open, and closes nothing; for the end of a shutdown. */
  giveUp(): void {
    const { written, waiting, acknowledged } = this.#ledger.giveUp();
    this.#deadlines.stop();
    this.#acceptAll(acknowledged);
    for (const { reject, to } of written) reject(answers.stoppedUnacknowledged(to));
    for (const { reject, to } of waiting) reject(answers.stoppedUnsent(to));
  }

  #refuse(id: string, to: Jid, bytes: number, signal: AbortSignal): Failure | undefined {
    if (this.over || this.#closing || this.#finishing) return answers.closed(this.account, this.#endedBecause);
    if (signal.aborted) return answers.withdrawn(to, "its caller hung up");
    if (this.#ledger.has(id)) return answers.idInUse(id);
    const { maxPending, maxPendingBytes } = this.#options;
    const { size } = this.#ledger;
    const limit = this.#link?.maxStanzaBytes;
    if (limit !== undefined && bytes > limit) return answers.tooLarge(bytes, limit);
    if (size >= maxPending || this.#ledger.bytes + bytes > maxPendingBytes)
      return answers.queueFull(this.account, size);
    return undefined;
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
    this.#withdrawAbandoned();
    while (this.#link !== undefined && !this.over && !this.#socketFull && this.#ledger.hasWaiting) {
      const maxCount = countWritable(this.#ledger, this.#suspect, this.#link.maxStanzaBytes);
      if (maxCount === 0) return;
      let bytes = this.#ledger.writtenBytes;
      if (this.#ledger.writtenBytes === 0) this.#deadlines.progressed();
      const batch = this.#ledger.takeWaiting(maxWriteBytes, maxCount);
      const stanzas = batch.map(({ stanza, writtenAt }) =>
        writtenAt === undefined ? { stanza } : { stanza, delayedSince: writtenAt },
      );
      const writtenAt = new Date();
      const writtenMs = performance.now();
      for (const entry of batch) {
        bytes += entry.bytes;
        if (entry.writtenAt === undefined) this.#deadlines.give(entry, bytes);
        entry.writtenAt ??= writtenAt;
        entry.writtenMs ??= writtenMs;
        entry.times.sendMs ??= writtenMs - entry.acceptedMs;
        entry.waitsAgain = false;
      }
      this.#socketFull = !this.#link.send(stanzas);
    }
  }

  /** Answers what is decided now, and what will be when nothing more has come for the grace time. */
  #conclude(): void {
    const graceMs = this.#link?.graceMs ?? 0;
    if (graceMs === 0) return this.#accept(this.#ledger.takeAcknowledged());
    const echoed = this.#ledger.takeEchoed();
    if (echoed.length > 0) setTimeout(() => this.#accept(echoed), graceMs);
  }

  #accept(entries: readonly Entry[]): void {
    const nowMs = performance.now();
    for (const entry of entries) if (this.#ledger.settle(entry)) this.#acknowledged(entry, nowMs);
    this.#settled();
  }

  /** Of what the ledger has settled. */
  #acceptAll(entries: readonly Entry[]): void {
    const nowMs = performance.now();
    for (const entry of entries) this.#acknowledged(entry, nowMs);
  }

  #acknowledged(entry: Entry, nowMs: number): void {
    const ackMs = nowMs - (entry.writtenMs ?? nowMs);
    entry.times.ackMs = ackMs;
    this.#options.onAcknowledged?.(ackMs);
    entry.resolve();
  }

  #bounced(bounce: Bounce): void {
    const entry = this.#ledger.bounce(bounce.id, bounce.from, this.account.domain);
    if (entry !== undefined) {
      const refusal = bounce.refusal(entry.to.full);
      entry.times.ackMs = performance.now() - (entry.writtenMs ?? entry.acceptedMs);
      this.#options.onBounced?.(refusal);
      entry.reject(refusal);
      return this.#settled();
    }
    const awaited = this.#receipts.bounced(bounce);
    if (awaited === undefined) this.#options.onLateBounce(bounce);
    else this.#options.onBounced?.(awaited);
  }

  #settled(): void {
    if (!this.busy) this.#deadlines.stop();
    if (this.#finishing && !this.#closing && !this.busy) void this.close();
    if (this.#suspect === undefined || this.#ledger.has(this.#suspect.id)) return;
    this.#suspect = undefined;
    this.#flush();
  }

  #lost(reason: Failure): void {
    const link = this.#link;
    this.#link = undefined;
    this.#socketFull = false;
    const largest = this.#ledger.written.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    const hopeless = this.#closing || !this.busy || !canRecover(reason, largest);
    if (link === undefined || hopeless) return this.#end(reason);
    this.#options.onLost(reason);
    const needed = () => this.busy && !this.#closing;
    const { loginTimeoutMs, pause } = this.#options;
    recover(link, { fruitless: this.#fruitless, needed, pause, loginTimeoutMs }).then(
      (reconnection) => this.#goOn(reconnection, reason),
      (failure: Failure) => this.#end(failure),
    );
  }

  /** What the server had handled is settled, what it had not is written again, in order and before all else. */
  #goOn({ link, resumed, handled }: Reconnection, reason: Failure): void {
    if (this.over) return void link.close();
    this.#fruitless += 1;
    if (handled !== undefined) this.#ledger.acknowledge(handled);
    else if (!resumed && !this.#isAloneTo(reason)) this.#loseWritten(reason);
    // A new session on the server has nothing more to say about what the old one took.
    if (!resumed) this.#accept(this.#ledger.takeAcknowledged());
    for (const entry of this.#ledger.rewind()) entry.waitsAgain = true;
    const again = this.#firstAgain;
    if (again !== undefined && !canRecover(reason, again.bytes)) {
      this.#end(reason);
      return void link.close();
    }
    this.#suspectFirst(reason);
    this.#link = link;
    this.#deadlines.progressed();
    this.#options.onRecovered(resumed);
    this.#conclude();
    this.#flush();
    if (this.#closing) void link.close();
  }

  /** Whether the server complained about what was sent when one message was all that it had not acknowledged. */
  #isAloneTo(reason: Failure): boolean {
    const [only, ...others] = this.#ledger.written;
    return only !== undefined && others.length === 0 && isComplaint(reason, only.bytes);
  }

  /** The first message that was written and is known not to have been handled. */
  get #firstAgain(): Entry | undefined {
    const first = this.#ledger.firstWaiting;
    return first?.waitsAgain ? first : undefined;
  }

  /** After a complaint about what was sent, the first message that was not handled is tried once more, alone. */
  #suspectFirst(reason: Failure): void {
    const first = this.#firstAgain;
    if (first === undefined || !isComplaint(reason, first.bytes)) return;
    if (this.#suspect !== first) {
      this.#suspect = first;
      return;
    }
    this.#suspect = undefined;
    if (this.#ledger.withdraw(first)) first.reject(answers.poisonous(first.to, first.bytes, reason));
  }

  #loseWritten(reason: Failure): void {
    const { written, acknowledged } = this.#ledger.giveUpWritten();
    this.#acceptAll(acknowledged);
    for (const { reject, to } of written) reject(answers.connectionLost(this.account, to, reason));
  }

  #end(reason: Failure): void {
    this.#endedBecause = reason;
    this.#deadlines.stop();
    this.#loseWritten(reason);
    const { waiting, acknowledged } = this.#ledger.giveUp();
    this.#acceptAll(acknowledged);
    for (const { reject } of waiting) reject(answers.closed(this.account, reason));
    this.#receipts.stop();
    this.#resolveEnded(reason);
  }

  /** Asked before each write and every 100 ms: a listener for each message would cost more than all the rest of `send`. */
  #withdrawAbandoned(): void {
    for (const entry of this.#ledger.waiting.filter(({ signal }) => signal.aborted)) {
      this.#withdraw(entry, "its caller hung up");
    }
  }

  #checkDeadlines(): void {
    this.#withdrawAbandoned();
    const nowMs = performance.now();
    const { waiting, written, acknowledged } = this.#ledger.overdue(nowMs);
    for (const entry of waiting) this.#withdraw(entry, "the connection took no more data in time");
    // The echo is missing, but the server has taken responsibility and has not refused.
    this.#accept(acknowledged);
    for (const entry of written) {
      if (this.#ledger.settle(entry)) entry.reject(answers.unacknowledged(this.account, entry.to));
    }
    // What was silent for so long is no connection to keep for the next request.
    if (written.length > 0 && !this.busy) return this.#link?.abort(answers.silent(this.account));
    // Acknowledgements come in order, so none will come on this connection. Another may still be in time, but only one.
    if (this.#link?.resumable && this.#fruitless === 0 && this.#deadlines.isSilent(this.#ledger)) {
      return this.#link.abort(answers.silent(this.account));
    }
    this.#settled();
  }

  #withdraw(entry: Entry, why: string): void {
    if (!this.#ledger.withdraw(entry)) return;
    entry.reject(answers.withdrawn(entry.to, why));
    this.#settled();
  }
}
