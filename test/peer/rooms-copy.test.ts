/** A message to a room is answered by the room: by its own copy of the message, or by its refusal; and by nothing else. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { ScriptedRooms } from "../support/peer/muc.ts";
import type { Peer } from "../support/peer/peer.ts";
import { lobby, type RoomsGateway, startRoomsGateway } from "../support/rooms-gateway.ts";

let started: RoomsGateway;
let rooms: ScriptedRooms;
let peer: Peer;
beforeEach(async () => {
  started = await startRoomsGateway({ settings: { delivery: { ack_timeout: "500ms" } } });
  ({ rooms, peer } = started);
});
afterEach(() => started?.stop());

const post = (fields: object = {}, to = lobby) => started.post({ to, body: "hi", ...fields });
const journal = () => started.journal();

describe("a message of no type to an address at a conference service", () => {
  test("enters the room, is shown there, and the next one finds the room entered", async () => {
    expect(await post()).toMatchObject({ status: 201, to: lobby, type: "groupchat" });
    expect(journal()).toEqual(["disco rooms.example.com", "enter lobby/alice", "say lobby: hi"]);
    expect(await post()).toMatchObject({ status: 201 });
    expect(await post({}, "other@rooms.example.com")).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["say lobby: hi", "enter other/alice", "say other: hi"]);
  });

  test("is a chat message where the service says that it is something else", async () => {
    rooms.hooks = {
      asks: (iq, connection) => {
        const identity = "<identity category='gateway' type='sms'/>";
        const query = `<query xmlns='http://jabber.org/protocol/disco#info'>${identity}</query>`;
        connection.deliver(`<iq type='result' id='${iq.attributes["id"]}' from='${iq.attributes["to"]}'>${query}</iq>`);
        return true;
      },
      says: () => true,
    };
    expect(await post()).toMatchObject({ status: 201, type: "chat" });
    expect(await post()).toMatchObject({ status: 201, type: "chat" });
    expect(journal()).toEqual(["disco rooms.example.com", "say lobby: hi", "say lobby: hi"]);
    expect(await post({ type: "groupchat" })).toMatchObject({ status: 504, code: "room_silent" });
    expect(journal()).toEqual(["enter lobby/alice", "say lobby: hi"]);
  });

  test("is a chat message where nobody says what it is within a second, and the late answer counts for the next", async () => {
    const asked = Promise.withResolvers<() => void>();
    rooms.hooks = {
      asks: (iq, connection) => {
        const identity = "<identity category='conference' type='text'/>";
        const query = `<query xmlns='http://jabber.org/protocol/disco#info'>${identity}</query>`;
        const { id, to } = iq.attributes;
        asked.resolve(() => connection.deliver(`<iq type='result' id='${id}' from='${to}'>${query}</iq>`));
        return true;
      },
      says: ({ attributes }) => attributes["type"] === "chat",
    };
    const startedMs = performance.now();
    expect(await post()).toMatchObject({ status: 201, type: "chat" });
    expect(performance.now() - startedMs).toBeGreaterThan(900);
    expect(await post()).toMatchObject({ status: 201, type: "chat" });
    expect(journal()).toEqual(["disco rooms.example.com", "say lobby: hi", "say lobby: hi"]);
    (await asked.promise)();
    expect(await post()).toMatchObject({ status: 201, type: "groupchat" });
  });

  test("asks nobody about the sender's own domain, nor where the type is said", async () => {
    expect(await post({}, "bob@example.com")).toMatchObject({ status: 201, type: "chat" });
    rooms.hooks = { says: () => true };
    expect(await post({ type: "chat" })).toMatchObject({ status: 201, type: "chat" });
    expect(await post({}, "rooms.example.com")).toMatchObject({ status: 201, type: "chat" });
    expect(journal().filter((line) => line.startsWith("disco"))).toEqual([]);
  });
});

describe("a 201", () => {
  test("does not come with the acknowledgement: it waits for the room's copy", async () => {
    const said = Promise.withResolvers<() => void>();
    rooms.hooks = {
      says: (message, connection) => {
        said.resolve(() => rooms.copy(message, connection));
        return true;
      },
    };
    let answered = false;
    const reply = post().finally(() => {
      answered = true;
    });
    const show = await said.promise;
    await (await peer.connection(1)).reached("ack");
    for (let round = 0; round < 3; round++) await started.gateway.post("/msg/", undefined, { method: "OPTIONS" });
    expect(answered).toBe(false);
    show();
    expect(await reply).toMatchObject({ status: 201 });
  });

  test("comes with the copy, before the acknowledgement", async () => {
    await post();
    peer.change({ ackPolicy: "never" });
    expect(await post()).toMatchObject({ status: 201 });
  });

  test.each([
    ["of somebody else with our id", { from: `${lobby}/mallory` }],
    ["of the room itself with our id", { from: lobby }],
    ["from another room with our id", { from: "other@rooms.example.com/alice" }],
    ["of ours with another id", { id: "another" }],
    ["from an address that is none", { from: "@/" }],
  ])("does not come with a message %s", async (_, changes) => {
    rooms.hooks = {
      says: (message, connection) => {
        rooms.copy(message, connection, changes);
        return true;
      },
    };
    expect(await post()).toMatchObject({ status: 504, code: "room_silent", outcome: "unknown" });
  });

  test("is for the message that was shown, not for the one before it that was not", async () => {
    const held: (() => void)[] = [];
    rooms.hooks = {
      says: (message, connection) => {
        held.push(() => rooms.copy(message, connection));
        if (held.length === 2) held[1]?.();
        return true;
      },
    };
    await post({ body: "warm" }, "other@rooms.example.com").catch(() => {});
    held.length = 0;
    const replies = [post({ body: "one" }), post({ body: "two" })];
    expect(await Promise.all(replies)).toMatchObject([{ status: 504 }, { status: 201 }]);
  });
});

describe("a refusal of the room", () => {
  test.each([
    ["forbidden", 403],
    ["not-allowed", 403],
    ["policy-violation", 403],
    ["resource-constraint", 503],
  ])("is the answer also when it comes after the acknowledgement: %s", async (condition, status) => {
    rooms.hooks = { says: () => true };
    peer.change({ bounce: () => ({ when: "after-ack", condition, from: lobby }) });
    expect(await post()).toMatchObject({ status, outcome: "not_sent" });
  });

  test("counts from the room, its service and our server, and from nobody else", async () => {
    rooms.hooks = {
      says: (message, connection) => {
        const { id } = message.attributes;
        const error = "<error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        for (const from of [`${lobby}/mallory`, "other@rooms.example.com", "mallory@example.org"]) {
          connection.deliver(`<message type='error' id='${id}' from='${from}'>${error}</message>`);
        }
        rooms.copy(message, connection);
        return true;
      },
    };
    expect(await post()).toMatchObject({ status: 201 });
  });

  test("that we are not inside makes us enter once more, and a second one is the answer", async () => {
    await post();
    rooms.forget();
    journal();
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["say lobby: hi", "enter lobby/alice", "say lobby: hi"]);
    rooms.hooks = { says: () => true };
    peer.change({ bounce: () => ({ when: "before-ack", condition: "not-acceptable", from: lobby }) });
    expect(await post()).toMatchObject({ status: 422, code: "not_acceptable" });
    expect(journal()).toEqual(["say lobby: hi", "enter lobby/alice", "say lobby: hi"]);
  });

  test.each([
    ["kicked", "<status code='307'/>", 403, "expelled"],
    ["banned", "<status code='301'/>", 403, "expelled"],
    ["a member no more", "<status code='321'/>", 403, "expelled"],
    ["left without a room", "<destroy/>", 404, "no_such_room"],
  ])(
    "to somebody who is %s while the message is on its way says so, and nobody goes in again for it",
    async (...row) => {
      const [, how, status, code] = row;
      await post();
      rooms.hooks = {
        says: (_, connection) => {
          rooms.putOut(connection, "lobby", how);
          rooms.hooks = {};
          return false;
        },
      };
      journal();
      expect(await post()).toMatchObject({ status, code, outcome: "not_sent" });
      expect(journal()).toEqual(["say lobby: hi"]);
      expect(await post()).toMatchObject({ status: 201 });
      expect(journal()).toEqual(["enter lobby/alice", "say lobby: hi"]);
    },
  );

  test("to somebody whom the service could not reach makes us enter once more", async () => {
    await post();
    rooms.hooks = {
      says: (_, connection) => {
        rooms.putOut(connection, "lobby", "<status code='307'/><status code='333'/>");
        rooms.hooks = {};
        return false;
      },
    };
    expect(await post()).toMatchObject({ status: 201 });
  });
});

describe("a message to somebody in a room", () => {
  const occupant = `${lobby}/somebody`;

  test("is sent from inside the room, as a chat message", async () => {
    rooms.hooks = { says: () => true };
    expect(await post({}, occupant)).toMatchObject({ status: 201, to: occupant, type: "chat" });
    expect(journal()).toEqual(["disco rooms.example.com", "enter lobby/alice", "say lobby: hi"]);
  });

  test("cannot be of type groupchat", async () => {
    expect(await post({ type: "groupchat" }, occupant)).toMatchObject({ status: 422, code: "bad_type" });
    expect(journal()).toEqual([]);
  });
});
