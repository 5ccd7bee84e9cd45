/** So many rooms and no more: the one that nobody has used for longest is left for another one. */

import { expect, test } from "bun:test";
import type { Link, RoomWire } from "../../src/link.ts";
import { Rooms } from "../../src/session/rooms.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";

const never = new AbortController().signal;
const wish = { nick: "alice", password: undefined, create: false };

/** Rooms that let everybody in at once. `send` is what becomes of a message. */
function begin(send: () => Promise<void> = async () => {}) {
  const [entered, left]: [string[], string[]] = [[], []];
  const wire: RoomWire = {
    ...noRooms,
    enter: (occupant, id) => {
      entered.push(occupant.bare);
      const codes = new Set(["110"]);
      const refusal = () => new Error("not refused") as never;
      queueMicrotask(() => rooms.present({ from: occupant, id, kind: "inside", codes, destroyed: false, refusal }));
    },
    leave: (occupant) => left.push(occupant.bare),
  };
  const rooms = new Rooms({
    account: jid("alice@example.com"),
    answerTimeoutMs: 5_000,
    link: async () => ({ rooms: wire }) as unknown as Link,
    send,
    onDone: () => {},
  });
  const say = (number: number) => {
    const to = jid(`room${number}@rooms.example.com`);
    return rooms.send({ id: `m${number}`, to, stanza: "<message/>" }, wish, never);
  };
  return { rooms, entered, left, say };
}

test("the room that was used least recently makes way", async () => {
  const { entered, left, say } = begin();
  for (let number = 0; number < 500; number++) await say(number);
  await say(0);
  await say(500);
  expect(entered).toHaveLength(501);
  expect(left).toEqual(["room1@rooms.example.com"]);
});

test("where messages are on their way in all of them, another one is refused", async () => {
  const { left, say } = begin(() => new Promise(() => {}));
  const open = Array.from({ length: 500 }, (_, number) => say(number));
  await expect(say(500)).rejects.toMatchObject({ code: "overloaded", outcome: "not_sent" });
  expect(left).toEqual([]);
  expect(open).toHaveLength(500);
});
