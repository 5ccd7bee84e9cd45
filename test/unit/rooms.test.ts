/** So many rooms, and so much waiting for them, and no more; and who lets us in. */

import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Link, RoomWire } from "../../src/link.ts";
import { Rooms, type RoomsOptions } from "../../src/session/rooms.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";

const never = new AbortController().signal;
const wish = { nick: "alice", password: undefined, create: false };

/** Rooms that let everybody in at once. `send` is what becomes of a message. */
function begin(send: () => Promise<void> = async () => {}, limits: Partial<RoomsOptions> = {}, letsIn = true) {
  const [entered, left]: [string[], string[]] = [[], []];
  const wire: RoomWire = {
    ...noRooms,
    enter: (occupant, id) => {
      entered.push(occupant.bare);
      const codes = new Set(["110"]);
      const refusal = () => new Error("not refused") as never;
      if (letsIn)
        queueMicrotask(() => rooms.present({ from: occupant, id, kind: "inside", codes, destroyed: false, refusal }));
    },
    leave: (occupant) => left.push(occupant.bare),
  };
  const rooms = new Rooms({
    account: jid("alice@example.com"),
    answerTimeoutMs: 5_000,
    maxPending: 1_000,
    maxPendingBytes: 1_000_000,
    link: async () => ({ rooms: wire }) as unknown as Link,
    send,
    onDone: () => {},
    ...limits,
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

test.each([
  ["messages", { maxPending: 2 }],
  ["bytes", { maxPendingBytes: 2 * "<message/>".length }],
])("more %s than an account may have on their way do not wait for a room", async (_, limits) => {
  const { rooms, say } = begin(undefined, limits, false);
  const waiting = [say(1), say(2)];
  await expect(say(3)).rejects.toMatchObject({ code: "overloaded", outcome: "not_sent" });
  rooms.stop(new Failure("shutting_down", "Stopping."));
  for (const each of await Promise.allSettled(waiting)) expect(each.status).toBe("rejected");
  await expect(say(4)).rejects.toMatchObject({ code: "shutting_down", outcome: "not_sent" });
});

test("nobody lets us into a room but the room itself", async () => {
  const { rooms, say } = begin(undefined, {}, false);
  const said = say(1);
  const codes = new Set(["110"]);
  const refusal = () => new Error("not refused") as never;
  const from = jid("evil.example");
  await new Promise((resolve) => setImmediate(resolve));
  rooms.present({ from, id: undefined, kind: "inside", codes, destroyed: false, refusal });
  expect(
    await Promise.race([said.then(() => "said"), new Promise((resolve) => setImmediate(resolve, "waiting"))]),
  ).toBe("waiting");
  rooms.present({
    from: jid("room1@rooms.example.com/alice"),
    id: undefined,
    kind: "inside",
    codes,
    destroyed: false,
    refusal,
  });
  await said;
});

test("nobody waits for ever behind others who come first under other nicks", async () => {
  const { rooms } = begin(() => Bun.sleep(40), { answerTimeoutMs: 20 });
  const to = jid("room@rooms.example.com");
  const all = Array.from({ length: 10 }, (_, number) =>
    rooms.send({ id: `m${number}`, to, stanza: "<message/>" }, { ...wish, nick: `host${number}` }, never),
  );
  const [first, ...others] = await Promise.allSettled(all);
  expect(first?.status).toBe("fulfilled");
  expect(others.at(-1)).toMatchObject({ reason: { code: "remote_server_timeout", outcome: "not_sent" } });
});
