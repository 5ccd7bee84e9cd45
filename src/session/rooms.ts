/**
 * The rooms of one session: who sends into one is taken inside first, and again where the room has forgotten us or the
 * server's session was a new one. Rooms that nobody sends into are left.
 */

import type { HangUp } from "../caller.ts";
import { Failure } from "../errors.ts";
import { bareJid, type Jid } from "../jid.ts";
import type { RoomMessage, RoomPresence } from "../link.ts";
import * as answers from "./answers.ts";
import type { Outgoing, RoomWish } from "./entry.ts";
import { Room, type RoomOptions } from "./room.ts";
import type { Stay } from "./stay.ts";

const maxRooms = 500;
/** So often a message goes in, to find that the room or the connection is gone, before its caller hears of it. */
const maxAttempts = 3;

export interface RoomsOptions extends RoomOptions {
  /** Of messages that wait for a room or are on their way to one. */
  readonly maxPending: number;
  readonly maxPendingBytes: number;
  /** To the server, as to anybody else; `stream_closed` says that the message was not handled. */
  send(outgoing: Outgoing, stay: Stay, hangUp: HangUp): Promise<void>;
  /** Called when a message has its answer. */
  onDone(): void;
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #rooms = new Map<string, Room>();
  #users = 0;
  #bytes = 0;
  #stopped: Failure | undefined;

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  /** Somebody waits for something that needs the connection. */
  get busy(): boolean {
    return this.#users > 0;
  }

  async send(outgoing: Outgoing, wish: RoomWish, hangUp: HangUp): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped;
    const { account, maxPending, maxPendingBytes } = this.#options;
    const bytes = Buffer.byteLength(outgoing.stanza);
    // Who waits for a room is in no ledger yet, and may wait long.
    const full = this.#users >= maxPending || this.#bytes + bytes > maxPendingBytes;
    if (full) throw answers.queueFull(account, this.#users);
    const room = this.#find(bareJid(outgoing.to));
    room.users += 1;
    this.#users += 1;
    this.#bytes += bytes;
    try {
      await this.#sendInto(room, outgoing, wish, hangUp);
    } finally {
      room.usedMs = performance.now();
      room.users -= 1;
      this.#users -= 1;
      this.#bytes -= bytes;
      if (room.users === 0 && !room.inside) this.#rooms.delete(room.jid.full);
      this.#options.onDone();
    }
  }

  async #sendInto(room: Room, outgoing: Outgoing, wish: RoomWish, hangUp: HangUp): Promise<void> {
    let forgotten = false;
    for (let attempt = 1; ; attempt++) {
      let stay: Stay | undefined;
      try {
        const inside = await room.enter(wish);
        stay = inside;
        return await room.keepNick(() => this.#options.send(outgoing, inside, hangUp));
      } catch (error) {
        if (!(error instanceof Failure) || attempt === maxAttempts) throw error;
        if (error.code === "stream_closed") continue;
        if (error.code !== "not_acceptable" || stay === undefined || forgotten) throw error;
        if (stay.putOut !== undefined) throw stay.putOut;
        forgotten = true;
        room.outside(stay);
      }
    }
  }

  saidInRoom({ from }: RoomMessage): void {
    const slash = from.indexOf("/");
    this.#rooms.get(slash < 0 ? from : from.slice(0, slash))?.heard();
  }

  present(presence: RoomPresence): void {
    const { from } = presence;
    if (from?.local !== undefined) return this.#rooms.get(from.bare)?.present(presence);
    // From our own server or the service: the id tells which room it is about.
    for (const room of this.#rooms.values()) room.present(presence);
  }

  lost(reason: Failure): void {
    for (const room of this.#rooms.values()) room.lost(reason);
  }

  /** Whoever waits for a room is told so, and who comes later. */
  stop(reason: Failure): void {
    this.#stopped = reason;
    for (const room of this.#rooms.values()) room.stop(reason);
  }

  forget(): void {
    for (const room of this.#rooms.values()) room.forget();
  }

  /** Those that were used last before this time, on the clock of performance.now(). */
  leaveUnused(beforeMs: number): void {
    for (const room of this.#rooms.values()) if (room.users === 0 && room.usedMs < beforeMs) this.#leave(room);
  }

  #find(jid: Jid): Room {
    const known = this.#rooms.get(jid.full);
    if (known !== undefined) return known;
    if (this.#rooms.size >= maxRooms) this.#makeWay();
    const room = new Room(jid, this.#options);
    this.#rooms.set(jid.full, room);
    return room;
  }

  #makeWay(): void {
    const unused = [...this.#rooms.values()].filter(({ users }) => users === 0);
    const [oldest] = unused.sort((one, other) => one.usedMs - other.usedMs);
    if (oldest === undefined) throw answers.tooManyRooms(this.#options.account, maxRooms);
    this.#leave(oldest);
  }

  #leave(room: Room): void {
    this.#rooms.delete(room.jid.full);
    void room.leave();
  }
}
