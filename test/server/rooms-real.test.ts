/** Rooms on real servers (XEP-0045): what each kind of room answers, and that the room has shown every message of a 201. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Gateway } from "../support/gateway.ts";
import { type RealGateway, startRealGateway } from "../support/real-gateway.ts";
import { logInReceiver, realServers, type Server, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { eventually, within } from "../support/wait.ts";

const testTimeoutMs = 60_000;
/** What a question about a room may take. */
const answerMs = 2_000;
const service = "rooms.example.com";
const json = { "Content-Type": "application/json" };
const muc = "http://jabber.org/protocol/muc";
const senders = Array.from({ length: 20 }, (_, number) => `sender${number}`);
const accounts = Object.fromEntries(
  ["alice", "bob", "owner", ...senders].map((name) => [`${name}@example.com`, "secret"]),
);

interface Answer {
  readonly status: number;
  readonly id?: string;
  readonly code?: string;
}

describe.each(realServers)("in front of %s", (name, startServer) => {
  let started: RealGateway<Receiver>;
  let server: Server;
  let gateway: Gateway;
  /** Makes the rooms, and sees what is said in them. */
  let owner: Receiver;
  beforeAll(async () => {
    started = await startRealGateway(
      () => startServer({ accounts, roomsDomain: service }),
      (ready) => logInReceiver(ready, "owner@example.com"),
    );
    ({ server, gateway, client: owner } = started);
  }, startTimeoutMs);
  afterAll(() => started?.stop(), startTimeoutMs);

  async function enter(client: Receiver, room: string, nick: string): Promise<void> {
    const occupant = `${room}@${service}/${nick}`;
    client.send(`<presence to='${occupant}'><x xmlns='${muc}'/></presence>`);
    await client.received(({ name, attributes }) => name === "presence" && attributes["from"] === occupant);
  }

  /** Made by the owner, who stays inside; `options` are fields of its configuration form. */
  async function makeRoom(room: string, options: Readonly<Record<string, string>> = {}): Promise<string> {
    await enter(owner, room, "owner");
    const fields = Object.entries({ FORM_TYPE: `${muc}#roomconfig`, ...options }).map(
      ([field, value]) => `<field var='${field}'><value>${value}</value></field>`,
    );
    const form = `<x xmlns='jabber:x:data' type='submit'>${fields.join("")}</x>`;
    const reply = await owner.request("set", `<query xmlns='${muc}#owner'>${form}</query>`, `${room}@${service}`);
    expect(reply.attributes["type"]).toBe("result");
    return `${room}@${service}`;
  }

  async function post(to: string, fields: object = {}, user = "alice"): Promise<Answer> {
    const body = JSON.stringify({ to, body: "hi", ...fields });
    const response = await gateway.post("/msg/", body, { headers: json, user: `${user}@example.com:secret` });
    return { ...JSON.parse(await response.text()), status: response.status };
  }

  /** As whom the room has shown the message of a 201. */
  async function shownAs({ status, id }: Answer, client = owner): Promise<string> {
    expect(status).toBe(201);
    const find = () => client.waiting.find((message) => message.id === id && message.type === "groupchat");
    return (await eventually(find, 5_000, "the message in the room")).from;
  }

  /** Asked twice: once, under load, ejabberd left a question about a room that had just been refused without an answer. */
  async function exists(room: string): Promise<boolean> {
    const query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    const ask = () => owner.request("get", query, `${room}@${service}`);
    const answer = await within(answerMs, "the room", ask()).catch(ask);
    return answer.attributes["type"] === "result";
  }

  test(
    "an open room shows the message, whether the type is said or not",
    async () => {
      const open = await makeRoom("open");
      expect(await shownAs(await post(open))).toBe(`${open}/alice`);
      expect(await shownAs(await post(open, { type: "groupchat", nick: "Watch dog" }))).toBe(`${open}/Watch dog`);
      expect(await shownAs(await post(open))).toBe(`${open}/alice`);
    },
    testTimeoutMs,
  );

  test(
    "a room with a password wants it, and the right one",
    async () => {
      const room = await makeRoom("secret", {
        "muc#roomconfig_passwordprotectedroom": "1",
        "muc#roomconfig_roomsecret": "sesame",
      });
      expect(await post(room)).toMatchObject({ status: 403, code: "room_password_needed" });
      expect(await post(room, { room_password: "wrong" })).toMatchObject({ status: 403, code: "room_password_needed" });
      await shownAs(await post(room, { room_password: "sesame" }));
    },
    testTimeoutMs,
  );

  test(
    "a room for members only, and one that has banned the sender, are 403",
    async () => {
      const members = await makeRoom("members", { "muc#roomconfig_membersonly": "1" });
      expect(await post(members)).toMatchObject({ status: 403, code: "registration_required" });
      const banned = await makeRoom("banned");
      const ban = `<query xmlns='${muc}#admin'><item affiliation='outcast' jid='alice@example.com'/></query>`;
      expect((await owner.request("set", ban, banned)).attributes["type"]).toBe("result");
      expect(await post(banned)).toMatchObject({ status: 403, code: "forbidden" });
    },
    testTimeoutMs,
  );

  test.skipIf(name === "Prosody")(
    "a full room is a 503 (Prosody's rooms have no limit)",
    async () => {
      const full = await makeRoom("full", { "muc#roomconfig_maxusers": "5" });
      for (const nick of ["one", "two", "three", "four"]) {
        const client = await logInReceiver(server, "bob@example.com");
        await enter(client, "full", nick);
      }
      expect(await post(full)).toMatchObject({ status: 503, code: "room_full" });
    },
    testTimeoutMs,
  );

  test(
    "a nick that somebody else has gets an ending",
    async () => {
      const room = await makeRoom("nicks");
      const bob = await logInReceiver(server, "bob@example.com");
      await enter(bob, "nicks", "alice");
      expect(await shownAs(await post(room))).toMatch(/^nicks@rooms\.example\.com\/alice-[0-9a-f]{4}$/);
      await bob.close();
    },
    testTimeoutMs,
  );

  test(
    "a room that does not exist is a 404, is not made by it, and is made when the caller says so",
    async () => {
      const room = `typo@${service}`;
      expect(await post(room)).toMatchObject({ status: 404, code: "no_such_room" });
      expect(await post(room)).toMatchObject({ status: 404, code: "no_such_room" });
      expect(await exists("typo")).toBe(false);
      expect(await post(room, { create_room: true })).toMatchObject({ status: 201 });
      expect(await exists("typo")).toBe(true);
    },
    testTimeoutMs,
  );

  test(
    "a moderated room in which the sender has no voice is a 403",
    async () => {
      const voiceless = name === "Prosody" ? {} : { members_by_default: "0" };
      const room = await makeRoom("moderated", { "muc#roomconfig_moderatedroom": "1", ...voiceless });
      expect(await post(room)).toMatchObject({ status: 403, code: "forbidden" });
      expect(owner.waiting.filter(({ from, body }) => from === `${room}/alice` && body === "hi")).toEqual([]);
    },
    testTimeoutMs,
  );

  test(
    "somebody who is kicked or banned may come back, or not; a room that is destroyed under us is a 404",
    async () => {
      const room = await makeRoom("unruly");
      await shownAs(await post(room));
      const admin = (item: string) => owner.request("set", `<query xmlns='${muc}#admin'>${item}</query>`, room);
      await admin("<item nick='alice' role='none'/>");
      // It may have been on its way when the kick came.
      const next = await post(room);
      if (next.code !== "expelled") await shownAs(next);
      await shownAs(await post(room));
      await admin("<item affiliation='outcast' jid='alice@example.com'/>");
      expect((await post(room)).status).toBe(403);
      expect(await post(room)).toMatchObject({ status: 403, code: "forbidden" });
      const doomed = await makeRoom("doomed");
      await shownAs(await post(doomed));
      await owner.request("set", `<query xmlns='${muc}#owner'><destroy/></query>`, doomed);
      expect((await post(doomed)).status).toBe(404);
    },
    testTimeoutMs,
  );

  test(
    "a message to an occupant arrives there, from ours",
    async () => {
      const room = await makeRoom("private");
      const answer = await post(`${room}/owner`, { body: "between us" });
      expect(answer).toMatchObject({ status: 201, type: "chat" });
      const find = () => owner.waiting.find(({ body }) => body === "between us");
      expect(await eventually(find, 5_000)).toMatchObject({ from: `${room}/alice`, type: "chat" });
      expect((await post(`${room}/nobody`)).status).toBe(404);
    },
    testTimeoutMs,
  );

  test(
    "20 rooms of one sender, and 20 senders in one room, show every message of a 201, once",
    async () => {
      const rooms = await Promise.all(senders.map((_, number) => makeRoom(`many${number}`)));
      const one = await makeRoom("crowd");
      const answers = await Promise.all([
        ...rooms.flatMap((room) => [1, 2, 3].map((number) => post(room, { body: `${number}` }))),
        ...senders.flatMap((sender) => [1, 2, 3].map((number) => post(one, { body: `${number}` }, sender))),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
      const ids = answers.map(({ id }) => id);
      const shown = () => owner.waiting.filter(({ id }) => ids.includes(id));
      await eventually(() => shown().length >= ids.length, 10_000, "all messages in their rooms");
      expect(
        shown()
          .map(({ id }) => id)
          .sort(),
      ).toEqual([...ids].sort());
      expect(new Set(shown().map(({ from }) => from)).size).toBe(40);
    },
    testTimeoutMs,
  );

  test(
    "a persistent room works before and after the server is restarted",
    async () => {
      const room = await makeRoom("lasting", { "muc#roomconfig_persistentroom": "1" });
      await shownAs(await post(room));
      await server.restart();
      const again = await logInReceiver(server, "owner@example.com");
      await enter(again, "lasting", "owner");
      await shownAs(await post(room), again);
      await again.close();
    },
    testTimeoutMs,
  );
});
