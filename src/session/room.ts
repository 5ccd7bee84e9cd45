/**
 * One room, as one session sees it (XEP-0045 section 7): entered when a message needs it, under the nick that the message
 * wants. It does one thing at a time: who wants the same waits for the same, and another nick waits for the messages that
 * are on their way under the one before.
 */

import { asFailure, Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import { mayRefuse } from "../ledger.ts";
import type { Link, RoomPresence } from "../link.ts";
import * as answers from "./answers.ts";
import type { RoomWish } from "./entry.ts";
import { Stay, whyPutOut } from "./stay.ts";

/** The nick itself, and with endings of chance. */
const maxNicks = 3;
/** Of a silent room: so long it may be busy with others who come first. */
const maxTurns = 3;
const usualQuietMs = 600_000;

export interface RoomOptions {
  readonly account: Jid;
  /** What a room may take to answer, in milliseconds. */
  readonly answerTimeoutMs: number;
  /** So many milliseconds of silence make it uncertain whether we are still in; default 600,000. */
  readonly quietMs?: number | undefined;
  /** The present link; waits for one that is coming back. */
  link(): Promise<Link>;
}

/** What is being done, for whom it is good. */
interface Turn {
  readonly wish: string;
  readonly done: Promise<Stay>;
}

/** The wish to be `occupant` has been sent. */
interface Attempt {
  readonly id: string;
  readonly occupant: Jid;
  readonly resolve: (presence: RoomPresence) => void;
  readonly reject: (reason: Failure) => void;
}

export class Room {
  readonly jid: Jid;
  /** On the clock of performance.now(). */
  usedMs = 0;
  /** Whoever sends into it, or waits to. */
  users = 0;

  readonly #options: RoomOptions;
  #stay: Stay | undefined;
  /** As it was wished for; the service may have given another. */
  #nick = "";
  #turn: Turn | undefined;
  #attempt: Attempt | undefined;
  #heardMs = 0;
  #inFlight = 0;
  #onLanded: (() => void) | undefined;
  #stopped: Failure | undefined;
  #giveUp: ((reason: Failure) => void) | undefined;

  constructor(jid: Jid, options: RoomOptions) {
    this.jid = jid;
    this.#options = options;
  }

  get inside(): boolean {
    return this.#stay !== undefined;
  }

  /** Our stay there, at once where there is one that fits. Rejects with a Failure. */
  enter(wish: RoomWish): Promise<Stay> {
    if (this.#turn === undefined && this.#stay !== undefined && this.#fits(wish)) return Promise.resolve(this.#stay);
    const key = JSON.stringify([wish.nick, wish.password, wish.create]);
    if (this.#turn?.wish === key) return this.#turn.done;
    const wantedMs = performance.now();
    const before = this.#turn?.done.then(() => undefined, asFailure) ?? Promise.resolve(undefined);
    const done = before
      .then((failure) => this.#enterInTime(wish, wantedMs, failure))
      .finally(() => {
        if (this.#turn === turn) this.#turn = undefined;
      });
    const turn = { wish: key, done };
    this.#turn = turn;
    return done;
  }

  /** While `send` runs, our nick stays as it is. */
  async keepNick<T>(send: () => Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      return await send();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#onLanded?.();
    }
  }

  heard(): void {
    this.#heardMs = performance.now();
  }

  present(presence: RoomPresence): void {
    this.heard();
    const { kind, from, id, codes } = presence;
    const attempt = this.#attempt;
    if (kind === "refused") {
      // What answers our leaving has another id, or none.
      const ours = attempt !== undefined && id === attempt.id;
      if (ours && mayRefuse(from, attempt.occupant, this.#options.account.domain)) {
        attempt.reject(presence.refusal(this.jid.full));
      }
      return;
    }
    if (from?.bare !== this.jid.full) return;
    if (kind === "inside") {
      if (!codes.has("110")) return;
      if (attempt === undefined) this.#stay?.rename(from);
      else attempt.resolve(presence);
      return;
    }
    // 303: under another name, which the next presence tells.
    if (codes.has("303")) return;
    if (this.#stay?.isUs(from)) {
      this.#stay.putOut = whyPutOut(this.jid, presence);
      this.#stay = undefined;
    } else if (attempt !== undefined && codes.has("110")) {
      const reason = whyPutOut(this.jid, presence);
      // Where it says nothing more, it may answer our leaving before.
      if (reason !== undefined || codes.size > 1) attempt.reject(reason ?? answers.leftRoom(this.jid));
    }
  }

  /** The room did not know us in this stay. */
  outside(stay: Stay): void {
    if (this.#stay === stay) this.#stay = undefined;
  }

  /** The connection is gone, and the server's session may come back on another. */
  lost(reason: Failure): void {
    this.#attempt?.reject(answers.closed(this.#options.account, reason));
  }

  /** The end of a shutdown. */
  stop(reason: Failure): void {
    this.#stopped = reason;
    this.#attempt?.reject(reason);
    this.#giveUp?.(reason);
  }

  /** The server's session is gone, and with it we are out of the room. */
  forget(): void {
    this.#stay = undefined;
  }

  async leave(): Promise<void> {
    const stay = this.#stay;
    this.#stay = undefined;
    if (stay !== undefined) await this.#goFrom(stay.occupant);
  }

  #fits({ nick }: RoomWish): boolean {
    const quietMs = this.#options.quietMs ?? usualQuietMs;
    return this.#nick === nick && performance.now() - this.#heardMs < quietMs;
  }

  /**
   * Behind others who want another nick nobody waits for ever, and no longer than they where the room is silent; and
   * whatever the room is asked meanwhile, whoever waits is answered at a stop. `before`: what those before were told.
   */
  #enterInTime(wish: RoomWish, wantedMs: number, before: Failure | undefined): Promise<Stay> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    if (before?.code === "remote_server_timeout") return Promise.reject(before);
    const waitedMs = performance.now() - wantedMs;
    if (waitedMs > this.#options.answerTimeoutMs * maxTurns) return Promise.reject(answers.roomSlow(this.jid));
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    this.#giveUp = reject;
    return Promise.race([this.#enterNow(wish), stopped]);
  }

  async #enterNow(wish: RoomWish): Promise<Stay> {
    if (this.#stay !== undefined && this.#nick === wish.nick) {
      const stay = this.#stay;
      if (this.#fits(wish) || (await this.#isStillInside(stay))) return stay;
      this.outside(stay);
    }
    if (this.#stay !== undefined && this.#inFlight > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLanded = resolve;
      await promise;
    }
    const link = await this.#options.link();
    const presence = await this.#tryNicks(link, wish);
    if (presence.codes.has("201")) await this.#furnish(presence, wish);
    const occupant = presence.from ?? this.jid;
    this.#nick = wish.nick;
    if (this.#stay === undefined) this.#stay = new Stay(occupant);
    else this.#stay.rename(occupant);
    return this.#stay;
  }

  /** XEP-0410. Silence is no answer, and entering does no harm to who is inside. */
  async #isStillInside({ occupant }: Stay): Promise<boolean> {
    const { rooms } = await this.#options.link();
    const inside = await rooms.hasUs(occupant, this.#options.answerTimeoutMs).catch(() => false);
    if (inside) this.heard();
    return inside;
  }

  async #tryNicks(link: Link, { nick, password }: RoomWish): Promise<RoomPresence> {
    for (let tried = 1; ; tried++) {
      const occupant = occupantOf(this.jid, tried === 1 ? nick : `${nick}-${chance()}`);
      try {
        return await this.#become(link, occupant, password);
      } catch (error) {
        const taken = error instanceof Failure && error.code === "conflict";
        if (!taken || tried === maxNicks) throw error;
      }
    }
  }

  async #become(link: Link, occupant: Jid, password: string | undefined): Promise<RoomPresence> {
    const id = crypto.randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<RoomPresence>();
    const timer = setTimeout(() => {
      // It may let us in yet, and nobody would know.
      link.rooms.leave(occupant);
      reject(answers.roomUnanswering(this.jid));
    }, this.#options.answerTimeoutMs);
    this.#attempt = { id, occupant, resolve, reject };
    link.rooms.enter(occupant, id, password);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#attempt = undefined;
    }
  }

  /** The room was made by our coming. A typing error must not leave one behind. */
  async #furnish({ from: occupant = this.jid }: RoomPresence, { create }: RoomWish): Promise<void> {
    const { answerTimeoutMs, link } = this.#options;
    if (!create) {
      const destroy = async () => (await link()).rooms.destroy(this.jid, answerTimeoutMs);
      // The connection may have been lost under the first try. Where we may not destroy it, it goes with its last occupant.
      await destroy()
        .catch(destroy)
        .catch(() => this.#goFrom(occupant));
      throw answers.noSuchRoom(this.jid);
    }
    try {
      await (await link()).rooms.open(this.jid, answerTimeoutMs);
    } catch (error) {
      await this.#goFrom(occupant);
      throw error;
    }
  }

  /** Without a connection there is nobody to tell, and nothing to leave. */
  async #goFrom(occupant: Jid): Promise<void> {
    await this.#options.link().then(
      ({ rooms }) => rooms.leave(occupant),
      () => {},
    );
  }
}

function occupantOf(room: Jid, nick: string): Jid {
  const parsed = parseJid(`${room.bare}/${nick}`);
  if ("jid" in parsed && parsed.jid.resource !== undefined) return parsed.jid;
  const problem = "problem" in parsed ? parsed.problem : "it is empty";
  throw new Failure("bad_field", `The nick ${JSON.stringify(nick)} cannot be one in a room: ${problem}.`);
}

function chance(): string {
  return crypto.randomUUID().slice(0, 4);
}
