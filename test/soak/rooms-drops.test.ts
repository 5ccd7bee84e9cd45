/**
 * Rooms that show messages late, under two nicks that take turns, while connections are lost again and again: whatever a
 * caller is told of his message is true. Only the scripted peer can tell what it had handled when the connection went.
 */

import { expect, test } from "bun:test";
import { startRoomsGateway } from "../support/rooms-gateway.ts";
import { allowed, makeRandom, sized } from "../support/soak.ts";
import { childOf, textOf } from "../support/xml-element.ts";

interface Told {
  readonly text: string;
  readonly status: number;
  readonly outcome?: string;
}

test.each(["accept", "refuse", "refuse-with-count"] as const)(
  "no answer for a room is untrue, and nothing is said twice, while connections are lost (resumption: %s)",
  async (resumption) => {
    const random = makeRandom(`rooms, drops, ${resumption}`);
    await using started = await startRoomsGateway({
      behaviour: { resumption },
      settings: { delivery: { ack_timeout: "1s" } },
    });
    const { rooms, peer } = started;
    const said = new Map<string, number>();
    rooms.hooks = {
      says: (message, connection) => {
        const text = textOf(childOf(message, "body"));
        said.set(text, (said.get(text) ?? 0) + 1);
        if (random.chance(0.5)) return false;
        setTimeout(() => rooms.copy(message, connection), random.integer(0, 80));
        return true;
      },
    };
    const post = async (number: number): Promise<Told> => {
      const text = `message ${number}`;
      const nick = random.chance(0.3) ? "alice" : "bob";
      const fields = { to: `room${number % 5}@rooms.example.com`, type: "groupchat", nick, body: text };
      return { ...(await started.post(fields)), text };
    };
    const told: Promise<Told>[] = [];
    const messages = sized(5_000, 120);
    let untilDrop = 10;
    for (let number = 0; number < messages; number++) {
      told.push(post(number));
      await Bun.sleep(8);
      untilDrop -= 1;
      if (untilDrop > 0) continue;
      peer.dropAll();
      untilDrop = random.integer(8, 20);
    }
    const wrong = (await Promise.all(told)).filter(({ text, status, outcome }) => {
      const times = said.get(text) ?? 0;
      return times > 1 || (status === 201 && times === 0) || (outcome === "not_sent" && times > 0);
    });
    expect(wrong).toEqual([]);
    // Had all been refused, nothing would have been shown.
    expect(said.size).toBeGreaterThan(messages / 2);
    expect(peer.connectionCount).toBeGreaterThan(messages / 20);
  },
  allowed(240_000, 60_000),
);
