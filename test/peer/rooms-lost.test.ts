/** Connections that are lost while something is on its way to a room: what the caller is told stays true. */

import { afterEach, describe, expect, test } from "bun:test";
import type { Gateway } from "../support/gateway.ts";
import type { ScriptedRooms } from "../support/peer/muc.ts";
import type { PeerBehaviour } from "../support/peer/options.ts";
import type { Peer } from "../support/peer/peer.ts";
import { lobby, type RoomsGateway, startRoomsGateway } from "../support/rooms-gateway.ts";
import { eventually } from "../support/wait.ts";
import type { XmlElement } from "../support/xml-element.ts";

let started: RoomsGateway;
let rooms: ScriptedRooms;
let peer: Peer;
let gateway: Gateway;
async function begin(behaviour: Partial<PeerBehaviour> = {}, roomQuietMs = 600_000): Promise<void> {
  started = await startRoomsGateway({
    behaviour,
    settings: { delivery: { ack_timeout: "2s" } },
    drainMs: 200,
    roomQuietMs,
  });
  ({ rooms, peer, gateway } = started);
}
afterEach(() => started?.stop());

const post = (body = "hi", to = lobby) => started.post({ to, type: "groupchat", body });
const journal = () => started.journal();

/** The message that the room was given, and has not shown. */
function hold(): Promise<XmlElement> {
  const held = Promise.withResolvers<XmlElement>();
  rooms.hooks = {
    says: (message) => {
      held.resolve(message);
      rooms.hooks = {};
      return true;
    },
  };
  return held.promise;
}

describe("a connection that is lost between the acknowledgement and the room's copy", () => {
  test("and resumed brings the copy: 201, and the message was sent once", async () => {
    await begin();
    await post("first");
    const held = hold();
    const reply = post();
    const message = await held;
    const connection = await peer.connection(1);
    await connection.reached("ack", 2);
    peer.dropAll();
    const next = await peer.connection(2);
    await next.reached("resume");
    rooms.copy(message, next);
    expect(await reply).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", "say lobby: first", "say lobby: hi"]);
    expect(await post("last")).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["say lobby: last"]);
  });

  test("and not resumed leaves nobody who knows: 504 unknown at once; the next message enters again", async () => {
    await begin({ resumption: "refuse" });
    await post("first");
    const held = hold();
    const reply = post();
    await held;
    await (await peer.connection(1)).reached("ack", 2);
    peer.dropAll();
    expect(await reply).toMatchObject({ status: 504, code: "room_silent", outcome: "unknown" });
    journal();
    expect(await post("last")).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", "say lobby: last"]);
  });

  test("and that cannot come back leaves nobody who knows, either", async () => {
    await begin();
    const held = hold();
    const reply = post();
    await held;
    const connection = await peer.connection(1);
    await connection.reached("ack");
    try {
      connection.fail("conflict");
    } catch {
      // That is how the peer ends a connection's script.
    }
    expect(await reply).toMatchObject({ status: 504, outcome: "unknown" });
  });
});

describe("a connection that is lost before the acknowledgement", () => {
  test("and resumed sends the message again, if it had not been handled", async () => {
    await begin();
    await post("first");
    peer.change({ fault: { at: "message", how: "reset", connection: 1, nth: 2 } });
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", "say lobby: first", "say lobby: hi"]);
  });

  test("and not resumed sends it again after entering again, if the server says that it had not handled it", async () => {
    await begin({ resumption: "refuse-with-count" });
    await post("first");
    peer.change({ fault: { at: "message", how: "reset", connection: 1, nth: 2 } });
    const replies = await Promise.all([post("one"), post("two"), post("three")]);
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201]);
    const said = journal().slice(2);
    expect(said[0]).toBe("enter lobby/alice");
    expect(said.slice(1).sort()).toEqual(["say lobby: one", "say lobby: three", "say lobby: two"]);
  });

  test("is a 504 where nobody can say whether it was handled", async () => {
    await begin({ resumption: "refuse", ackPolicy: "never" });
    const held = hold();
    const reply = post();
    await held;
    peer.dropAll();
    expect(await reply).toMatchObject({ status: 504, outcome: "unknown" });
  });
});

test.each(["accept", "refuse", "not-offered"] as const)(
  "a connection that is lost while the room is being entered costs nothing but time (resumption: %s)",
  async (resumption) => {
    await begin({ resumption });
    const entering = Promise.withResolvers<void>();
    rooms.hooks = {
      enters: () => {
        entering.resolve();
        return "silence";
      },
    };
    const reply = post();
    await entering.promise;
    rooms.hooks = {};
    peer.dropAll();
    expect(await reply).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", "enter lobby/alice", "say lobby: hi"]);
  },
);

test("at a shutdown who waits for a room is answered: unsent where it was not entered, unknown where it is silent", async () => {
  await begin();
  rooms.hooks = { enters: (occupant) => (occupant.startsWith("lobby") ? [] : "silence"), says: () => true };
  const silent = post();
  const outside = post("b", "x@rooms.example.com");
  await eventually(() => rooms.journal.includes("say lobby: hi"), 5_000);
  await eventually(() => rooms.journal.includes("enter x/alice"), 5_000);
  const stopped = gateway.stop();
  expect(await silent).toMatchObject({ status: 504, code: "shutdown_unacknowledged" });
  expect((await outside).status).toBe(503);
  await stopped;
});

test("at a shutdown who waits for a room to say whether we are inside is answered as well", async () => {
  await begin({}, 0);
  await post();
  rooms.hooks = { asks: () => true };
  const reply = post();
  await eventually(() => rooms.journal.includes(`ping ${lobby}/alice`), 5_000);
  const stopped = gateway.stop();
  expect(await reply).toMatchObject({ status: 503, code: "shutting_down", outcome: "not_sent" });
  await stopped;
});
