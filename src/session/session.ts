/**
 * One account's session: messages in, in order, in one write a turn of the event loop (group commit); answers out as the
 * server acknowledges, refuses or stays silent. It outlives a lost connection for as long as somebody waits for an answer.
 * What is special about rooms stands in rooms.ts.
 */

import type { HangUp } from "../caller.ts";
import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { Ledger } from "../ledger.ts";
import type { Link, LinkEvents, Reconnection } from "../link.ts";
import type { Destination } from "../message.ts";
import * as answers from "./answers.ts";
import { takeUp } from "./comeback.ts";
import { Deadlines } from "./deadlines.ts";
import type { Entry, Outgoing, SessionOptions } from "./entry.ts";
import { Intake } from "./intake.ts";
import { PresentLink } from "./present-link.ts";
import { Receipts, type Watch } from "./receipts.ts";
import { canRecover, recover } from "./recovery.ts";
import { Rooms } from "./rooms.ts";
import type { Stay } from "./stay.ts";
import { Suspicion } from "./suspicion.ts";
import { Verdicts } from "./verdicts.ts";
import { isHeldUp } from "./write-alone.ts";
import { Writer } from "./writer.ts";

export class Session {
  readonly account: Jid;
  /** Resolves when the session is over, with the reason. */
  readonly ended: Promise<Failure>;
  /** On the clock of performance.now(). */
  lastUsedMs = performance.now();

  readonly #options: SessionOptions;
  readonly #ledger = new Ledger<Entry>();
  readonly #verdicts: Verdicts;
  readonly #suspicion = new Suspicion(this.#ledger);
  readonly #rooms: Rooms;
  readonly #deadlines: Deadlines;
  readonly #receipts: Receipts;
  readonly #resolveEnded: (reason: Failure) => void;
  readonly #present: PresentLink;
  readonly #writer: Writer;
  readonly #intake: Intake;
  #endedBecause: Failure | undefined;
  #begun = false;
  /** Why it is being closed by us. */
  #closing: Failure | undefined;
  /** No more messages are taken, and why. */
  #finishing: string | undefined;
  /** How many connections have come back since a message last got through. */
  #fruitless = 0;
  /** Why the connection that comes back is gone already: a server may end a stream in the bytes in which it takes it up. */
  #lostAgain: Failure | undefined;

  constructor(account: Jid, options: SessionOptions) {
    this.account = account;
    this.#options = options;
    const { ackTimeoutMs, maxPending, maxPendingBytes, roomQuietMs: quietMs } = options;
    // There, and back.
    const answerTimeoutMs = ackTimeoutMs * 2;
    const [ledger, suspicion] = [this.#ledger, this.#suspicion];
    const deadlines = new Deadlines(ackTimeoutMs, () => this.#checkDeadlines());
    const present = new PresentLink(account, answerTimeoutMs);
    const verdicts = new Verdicts(account, ledger, options, () => this.#settled());
    const withdraw = (entry: Entry) => verdicts.withdraw(entry, "its caller hung up");
    const writer = new Writer({ ledger, suspicion, deadlines, present, withdraw });
    this.#intake = new Intake({ account, ledger, deadlines, present, writer, maxPending, maxPendingBytes });
    this.#receipts = new Receipts(account.domain);
    [this.#verdicts, this.#present, this.#deadlines, this.#writer] = [verdicts, present, deadlines, writer];
    this.#rooms = new Rooms({
      account,
      answerTimeoutMs,
      quietMs,
      maxPending,
      maxPendingBytes,
      link: () => present.get(),
      send: (outgoing, stay, hangUp) => this.#take(outgoing, hangUp, stay),
      onDone: () => this.#settled(),
    });
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
      this.#verdicts.conclude(this.#present.graceMs);
      if (heldUp) this.#writer.flush();
    },
    echoed: (count) => {
      this.#ledger.echo(count);
      this.#verdicts.conclude(this.#present.graceMs);
    },
    bounced: (bounce) => {
      if (this.#verdicts.bounced(bounce)) return;
      const awaited = this.#receipts.bounced(bounce);
      if (awaited === undefined) this.#options.onLateBounce(bounce);
      else this.#options.onBounced?.(awaited);
    },
    received: (receipt) => this.#receipts.received(receipt),
    saidInRoom: (message) => {
      this.#rooms.saidInRoom(message);
      this.#verdicts.saidInRoom(message);
    },
    present: (presence) => this.#rooms.present(presence),
    drained: () => {
      this.#writer.reopen();
      this.#writer.flush();
    },
    lost: (reason) => this.#lost(reason),
  };

  begin(link: Link): void {
    this.#begun = true;
    this.#present.set(link);
    this.lastUsedMs = performance.now();
  }

  get live(): boolean {
    return this.#present.link !== undefined && this.#endedBecause === undefined;
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
    return this.#ledger.size > 0 || this.#rooms.busy;
  }

  /** Where a message of no type, or for a resource, leads to: at once, where that is known or does not matter. */
  destinationOf(to: Jid): Destination | Promise<Destination> {
    return this.#options.services.destinationOf(to, this.account, () => this.#present.get());
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
   * another one); with `connection_lost` or `ack_timeout` when nobody can tell; with `overloaded` at once. `hangUp`: asked
   * until the message is written.
   */
  send(outgoing: Outgoing, hangUp: HangUp): Promise<void> {
    const { room } = outgoing;
    return room === undefined ? this.#take(outgoing, hangUp) : this.#rooms.send(outgoing, room, hangUp);
  }

  #take(outgoing: Outgoing, hangUp: HangUp, stay?: Stay): Promise<void> {
    const closed = this.over || (this.#closing ?? this.#finishing) !== undefined;
    if (closed) return Promise.reject(answers.closed(this.account, this.#endedBecause));
    this.lastUsedMs = performance.now();
    return this.#intake.take(outgoing, hangUp, stay);
  }

  /** From before `send` on: what still comes back for a message after it was taken. */
  watch(id: string, to: Jid): Watch {
    return this.#receipts.watch(id, to);
  }

  /**
   * Closes the stream properly. What is unanswered then is answered as for a lost connection. `why`: the end of a sentence,
   * "The session was closed: <why>."
   */
  async close(why: string): Promise<void> {
    this.#closing = new Failure("stream_closed", `The session was closed: ${why}.`);
    if (this.#present.link !== undefined) await this.#present.link.close();
    else if (!this.over) this.#end(this.#closing);
  }

  /** Takes no more messages, and closes the stream when it owes no answer any more; `why` as for `close`. */
  finish(why: string): void {
    this.#finishing = why;
    if (!this.busy) void this.close(why);
  }

  /** Answers at once whatever is still open, and closes nothing; for the end of a shutdown. */
  giveUp(): void {
    this.#deadlines.stop();
    this.#verdicts.giveUp();
    this.#rooms.stop(answers.stopping());
    this.#present.end(answers.stopping());
  }

  /** Leaves the rooms that were used last before this time, on the clock of performance.now(). */
  leaveRooms(beforeMs: number): void {
    this.#rooms.leaveUnused(beforeMs);
  }

  #settled(): void {
    if (this.#ledger.size === 0) this.#deadlines.stop();
    if (this.#finishing !== undefined && this.#closing === undefined && !this.busy) void this.close(this.#finishing);
    if (this.#suspicion.cleared()) this.#writer.flush();
  }

  #lost(reason: Failure): void {
    if (this.#present.expected) {
      this.#lostAgain = reason;
      return;
    }
    const link = this.#present.lose();
    this.#writer.reopen();
    this.#rooms.lost(reason);
    const largest = this.#ledger.written.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    const hopeless = this.#closing !== undefined || !this.busy || !canRecover(reason, largest);
    if (link === undefined || hopeless) return this.#end(this.#closing ?? reason);
    this.#present.expect();
    this.#options.onLost(reason);
    const needed = () => this.busy && this.#closing === undefined;
    const { loginTimeoutMs, pause } = this.#options;
    const onFailed = (failure: Failure) => this.#present.missed(failure);
    recover(link, { fruitless: this.#fruitless, needed, pause, loginTimeoutMs, onFailed }).then(
      (reconnection) => this.#goOn(reconnection, reason),
      (failure: Failure) => this.#end(failure),
    );
  }

  #goOn(reconnection: Reconnection, reason: Failure): void {
    const { link, resumed } = reconnection;
    if (this.over) return void link.close();
    this.#fruitless += 1;
    const [ledger, verdicts, suspicion, rooms] = [this.#ledger, this.#verdicts, this.#suspicion, this.#rooms];
    if (!takeUp({ ledger, verdicts, suspicion, rooms }, reconnection, reason)) {
      this.#end(reason);
      return void link.close();
    }
    this.#present.set(link);
    this.#deadlines.progressed();
    this.#options.onRecovered(resumed);
    this.#verdicts.conclude(this.#present.graceMs);
    const lostAgain = this.#lostAgain;
    this.#lostAgain = undefined;
    if (lostAgain !== undefined) return this.#lost(lostAgain);
    this.#writer.reopen();
    this.#writer.flush();
    if (this.#closing !== undefined) void link.close();
  }

  #end(reason: Failure): void {
    this.#endedBecause = reason;
    // Before any caller is answered, who may try again at once: by then it is known that the account has to rest.
    this.#resolveEnded(reason);
    this.#deadlines.stop();
    this.#verdicts.end(reason);
    this.#receipts.stop();
    this.#present.end(answers.closed(this.account, reason));
  }

  #checkDeadlines(): void {
    this.#writer.withdrawAbandoned();
    const unacknowledged = this.#verdicts.expire(performance.now(), this.#present.away);
    // What was silent for so long is no connection to keep for the next request.
    if (unacknowledged > 0 && this.#ledger.size === 0) return this.#present.link?.abort(answers.silent(this.account));
    // Acknowledgements come in order, so none will come on this connection. Another may still be in time, but only one.
    if (this.#present.link?.resumable && this.#fruitless === 0 && this.#deadlines.isSilent(this.#ledger)) {
      return this.#present.link.abort(answers.silent(this.account));
    }
    this.#settled();
  }
}
