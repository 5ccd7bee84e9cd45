/** Entering rooms: under which nick, what keeps us out, what becomes of rooms that we would have made, and leaving them. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { ScriptedRooms } from "../support/peer/muc.ts";
import type { Peer } from "../support/peer/peer.ts";
import { lobby, type RoomsGateway, startRoomsGateway } from "../support/rooms-gateway.ts";
import { eventually } from "../support/wait.ts";

let started: RoomsGateway;
let rooms: ScriptedRooms;
let peer: Peer;
beforeEach(async () => {
  started = await startRoomsGateway({
    settings: { delivery: { ack_timeout: "500ms" }, rooms: { idle: "1s" } },
    roomQuietMs: 300,
  });
  ({ rooms, peer } = started);
});
afterEach(() => started?.stop());

const post = (fields: object = {}, to = lobby) => started.post({ to, type: "groupchat", body: "hi", ...fields });
const journal = () => started.journal();

describe("the nick", () => {
  test("is the one that the message names, and another message's is another", async () => {
    expect(await post({ nick: "Watch dog" })).toMatchObject({ status: 201 });
    expect(await post({ nick: "Watch dog" })).toMatchObject({ status: 201 });
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual([
      "enter lobby/Watch dog",
      "say lobby: hi",
      "say lobby: hi",
      "enter lobby/alice",
      "say lobby: hi",
    ]);
  });

  test("does not change while a message under it is on its way", async () => {
    const shown: string[] = [];
    rooms.hooks = {
      says: (message, connection) => {
        rooms.copy(message, connection);
        shown.push(rooms.journal.findLast((line) => line.startsWith("enter")) ?? "");
        return true;
      },
    };
    const nicks = ["one", "two", "one", "two", "two", "one"];
    const replies = await Promise.all(nicks.map((nick) => post({ nick, body: nick })));
    expect(replies.map(({ status }) => status)).toEqual(nicks.map(() => 201));
    expect(shown).toHaveLength(nicks.length);
    const said = journal();
    const bodies = said.filter((line) => line.startsWith("say")).map((line) => line.slice("say lobby: ".length));
    expect(shown).toEqual(bodies.map((nick) => `enter lobby/${nick}`));
  });

  test("gets an ending where somebody else has it, which is kept", async () => {
    rooms.hooks = { enters: (occupant) => (occupant.endsWith("/alice") ? { condition: "conflict" } : []) };
    expect(await post()).toMatchObject({ status: 201 });
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual([
      "enter lobby/alice",
      expect.stringMatching(/^enter lobby\/alice-[0-9a-f]{4}$/),
      "say lobby: hi",
      "say lobby: hi",
    ]);
  });

  test("is a 409 where every one that is tried is taken", async () => {
    rooms.hooks = { enters: () => ({ condition: "conflict" }) };
    expect(await post()).toMatchObject({ status: 409, code: "conflict", outcome: "not_sent" });
    expect(journal()).toHaveLength(3);
  });

  test("may be given by the service", async () => {
    rooms.hooks = {
      enters: (_, connection) => {
        const x = "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/><status code='210'/></x>";
        connection.deliver(`<presence from='${lobby}/guest-1' to='${connection.jid}'>${x}</presence>`);
        return "silence";
      },
      says: (message, connection) => {
        rooms.copy(message, connection, { from: `${lobby}/guest-1` });
        return true;
      },
    };
    expect(await post()).toMatchObject({ status: 201 });
  });

  test("that is no resource is refused before anybody is asked", async () => {
    expect(await post({ nick: "\u200b" })).toMatchObject({ status: 422, code: "bad_field" });
    expect(journal()).toEqual([]);
  });
});

describe("who is not let in", () => {
  test.each([
    ["not-authorized", 403, "room_password_needed"],
    ["registration-required", 403, "registration_required"],
    ["forbidden", 403, "forbidden"],
    ["item-not-found", 404, "no_such_room"],
    ["not-allowed", 404, "no_such_room"],
    ["not-acceptable", 422, "not_acceptable"],
    ["jid-malformed", 422, "jid_malformed"],
    ["remote-server-not-found", 502, "remote_server_not_found"],
    ["remote-server-timeout", 504, "remote_server_timeout"],
    ["service-unavailable", 404, "service_unavailable"],
  ])("is told why: %s", async (condition, status, code) => {
    rooms.hooks = { enters: () => ({ condition }) };
    expect(await post()).toMatchObject({ status, code, outcome: "not_sent" });
    expect(journal()).toEqual(["enter lobby/alice"]);
  });

  test.each(["service-unavailable", "resource-constraint"])(
    "comes back later to a full room: %s",
    async (condition) => {
      rooms.hooks = { enters: () => ({ condition, type: "wait" }) };
      expect(await post()).toMatchObject({ status: 503, code: "room_full" });
    },
  );

  test("waits for so long, and tells the room that it does not come any more", async () => {
    rooms.hooks = { enters: () => "silence" };
    expect(await post()).toMatchObject({ status: 504, code: "remote_server_timeout", outcome: "not_sent" });
    await eventually(() => rooms.journal.includes("leave lobby/alice"), 5_000);
    expect(journal()).toEqual(["enter lobby/alice", "leave lobby/alice"]);
  });

  test("is one wish for all who want the same at the same time, whatever comes of it", async () => {
    rooms.hooks = { enters: () => ({ condition: "registration-required" }) };
    const replies = await Promise.all(Array.from({ length: 20 }, () => post()));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([403]));
    expect(journal().length).toBeLessThan(5);
  });

  test("is not waited for by one nick after the other, where it is silent", async () => {
    rooms.hooks = { enters: () => "silence" };
    const all = await Promise.all(Array.from({ length: 12 }, (_, number) => post({ nick: `host${number}` })));
    for (const each of all) expect(each).toMatchObject({ status: 504, outcome: "not_sent" });
    expect(journal().filter((line) => line.startsWith("enter")).length).toBeLessThanOrEqual(4);
  });

  test("may know a password", async () => {
    await post({ room_password: "open <sesame>" });
    const entry = await peer.received(({ name }) => name === "presence");
    expect(entry.raw).toInclude("<password>open &lt;sesame&gt;</password>");
    expect(entry.raw).toInclude('maxstanzas="0"');
  });
});

describe("a room that our coming would make", () => {
  test("is destroyed at once, and does not exist for the caller", async () => {
    rooms.hooks = { enters: () => [201] };
    expect(await post()).toMatchObject({ status: 404, code: "no_such_room", outcome: "not_sent" });
    expect(journal()).toEqual(["enter lobby/alice", `owner ${lobby}: destroy`]);
  });

  test("is left where it cannot be destroyed", async () => {
    rooms.hooks = {
      enters: () => [201],
      asks: ({ attributes: { id, to } }, connection) => {
        const error = "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        connection.deliver(`<iq type='error' id='${id}' from='${to}'>${error}</iq>`);
        return true;
      },
    };
    expect(await post()).toMatchObject({ status: 404, code: "no_such_room" });
    await eventually(() => rooms.journal.includes("leave lobby/alice"), 5_000);
  });

  test("is made, and opened, where the caller asks for one", async () => {
    rooms.hooks = { enters: () => [201] };
    expect(await post({ create_room: true })).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", `owner ${lobby}: x`, "say lobby: hi"]);
  });
});

describe("a room", () => {
  test("that was quiet is asked whether we are still inside, before the message", async () => {
    await post();
    journal();
    await Bun.sleep(310);
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual([`ping ${lobby}/alice`, "say lobby: hi"]);
    rooms.forget();
    await Bun.sleep(310);
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual([`ping ${lobby}/alice`, "enter lobby/alice", "say lobby: hi"]);
  });

  test("that nobody sends into any more is left", async () => {
    await post();
    await eventually(() => rooms.journal.includes("leave lobby/alice"), 5_000);
    journal();
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", "say lobby: hi"]);
  });

  test("may answer our leaving when we come again already", async () => {
    await post();
    let confirm = () => {};
    rooms.hooks = {
      leaves: (occupant, connection) => {
        confirm = () => rooms.confirmLeaving(occupant, connection);
      },
      enters: () => {
        confirm();
        return [];
      },
    };
    await eventually(() => rooms.journal.includes("leave lobby/alice"), 5_000);
    journal();
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["enter lobby/alice", "say lobby: hi"]);
  });

  test("that is shutting down when we come is not entered, and not waited for", async () => {
    rooms.hooks = {
      enters: (occupant, connection) => {
        const codes = "<status code='332'/><status code='110'/>";
        const x = `<x xmlns='http://jabber.org/protocol/muc#user'>${codes}</x>`;
        connection.deliver(`<presence from='${occupant}' to='${connection.jid}' type='unavailable'>${x}</presence>`);
        return "silence";
      },
    };
    expect(await post()).toMatchObject({ status: 503, code: "temporarily_refused", outcome: "not_sent" });
  });

  test("cannot do anything by presence and messages that nobody has asked for", async () => {
    await post();
    const connection = await peer.connection(1);
    const x = (codes: string) => `<x xmlns='http://jabber.org/protocol/muc#user'>${codes}</x>`;
    for (const room of ["lobby", "stranger"]) {
      const from = `${room}@rooms.example.com`;
      connection.deliver(`<presence from='${from}/mallory' type='unavailable'>${x("<status code='307'/>")}</presence>`);
      connection.deliver(`<presence from='${from}/mallory' type='error'><error/></presence>`);
      connection.deliver(
        `<presence from='${from}/mallory'>${x("<status code='201'/><status code='999'/>")}</presence>`,
      );
      connection.deliver(`<presence from='${from}'>${x("<status/>")}</presence>`);
      connection.deliver(`<presence type='error' id='x'/>`);
      connection.deliver(`<message type='groupchat' from='${from}/mallory'/>`);
      connection.deliver(`<message type='groupchat' id='y'/>`);
    }
    journal();
    expect(await post()).toMatchObject({ status: 201 });
    expect(journal()).toEqual(["say lobby: hi"]);
  });
});
