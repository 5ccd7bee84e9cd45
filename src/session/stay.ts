/** One stay of ours in a room, from entering it to leaving it, or to being put out of it. */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { RoomPresence } from "../link.ts";

export class Stay {
  /** Who we are there: `room@service/nick`. */
  occupant: Jid;
  /** What a message is told that the room did not take because we were put out of it; undefined: it may be tried again. */
  putOut: Failure | undefined;
  /** A service may rename us while a message is on its way. */
  #before: Jid | undefined;

  constructor(occupant: Jid) {
    this.occupant = occupant;
  }

  rename(occupant: Jid): void {
    if (occupant.full === this.occupant.full) return;
    this.#before = this.occupant;
    this.occupant = occupant;
  }

  /** Whether that is us, or was a moment ago. */
  isUs({ full }: Jid): boolean {
    return full === this.occupant.full || full === this.#before?.full;
  }
}

/** Undefined: nobody meant us, and a message may follow us in again. */
export function whyPutOut({ full }: Jid, { codes, destroyed }: RoomPresence): Failure | undefined {
  if (destroyed) return new Failure("no_such_room", `The room "${full}" has been destroyed.`);
  const why = [...codes].map((code) => expulsions.get(code)).find((each) => each !== undefined);
  // 333: the service says so of whom it could not reach; 332: it is shutting down.
  if (why === undefined || codes.has("333")) return undefined;
  return new Failure("expelled", `The sender has been put out of the room "${full}": ${why}.`);
}

/** XEP-0045 section 15.6. */
const expulsions: ReadonlyMap<string, string> = new Map([
  ["301", "banned"],
  ["307", "kicked"],
  ["321", "it is not for the sender any more"],
  ["322", "it is for its members only now"],
]);
