/**
 * A message to a room beside a chat message, one connection, in turn: to a room that the sender is in already, and to
 * one that it has to enter first. Beside it a bare client that does the same, since a server has more to do for a room;
 * somebody else is in the rooms too, and gets everything.
 */

import { hostsOf, logInReceiver, realServers } from "../../support/real-servers.ts";
import type { Receiver } from "../../support/receiver.ts";
import type { Bench, Part } from "../options.ts";
import { startPostMsg } from "../program.ts";
import { differences, ratios } from "../results.ts";
import { medianOf } from "../statistics.ts";

const perRound = 300;
const entriesPerRound = 20;
const service = "rooms.example.com";
const muc = "http://jabber.org/protocol/muc";
const accounts = Object.fromEntries(["alice", "bob", "carol"].map((name) => [`${name}@example.com`, "secret"]));
/** What Debian's configuration logs. */
const prosody = { extraConfig: 'log = { { levels = { min = "info" }, to = "console" } }' };
const authorization = `Basic ${Buffer.from("alice@example.com:secret").toString("base64")}`;

export const rooms: Part = {
  name: "rooms",
  steps: ({ rounds }) => realServers.length * rounds,
  run: async (bench) => {
    for (const [name, start] of realServers) {
      await measure(bench, name, await start({ accounts, roomsDomain: service, prosody }));
    }
  },
};

type Server = Awaited<ReturnType<(typeof realServers)[number][1]>>;
const kinds = ["chat", "room", "entry"] as const;
type Times = Record<(typeof kinds)[number], number[]>;

async function measure({ results, rounds, step }: Bench, name: string, server: Server): Promise<void> {
  const gateway = await startPostMsg({ hosts: hostsOf(server), settings: { log: { level: "warn" } } });
  const bob = await logInReceiver(server, "bob@example.com");
  const carol = await logInReceiver(server, "carol@example.com", { presence: false });
  const [ours, theirs] = [noTimes(), noTimes()];
  const post = (to: string) => timed(() => postTo(`${gateway.url}/${to}`));
  try {
    for (const room of ["steady", "bare"]) await make(bob, room);
    await enter(carol, "bare", "carol");
    for (let nth = 0; nth < perRound; nth++) await Promise.all([post("bob@example.com"), post(`steady@${service}`)]);
    for (let round = 0; round < rounds; round++) {
      step(`rooms of ${name}`);
      const [own, bare] = [noTimes(), noTimes()];
      for (let nth = 0; nth < perRound; nth++) {
        own.chat.push(await post("bob@example.com"));
        bare.chat.push(await timed(() => chat(carol)));
        own.room.push(await post(`steady@${service}`));
        bare.room.push(await say(carol, "bare"));
      }
      for (let nth = 0; nth < entriesPerRound; nth++) {
        const [mine, hers] = [`mine${round}-${nth}`, `hers${round}-${nth}`];
        await make(bob, mine);
        await make(bob, hers);
        own.entry.push(await post(`${mine}@${service}`));
        bare.entry.push((await timed(() => enter(carol, hers, "carol"))) + (await say(carol, hers)));
      }
      for (const kind of kinds) {
        ours[kind].push(medianOf(own[kind]));
        theirs[kind].push(medianOf(bare[kind]));
      }
    }
  } finally {
    await Promise.all([bob.close(), carol.close()]);
    await gateway.stop();
    await server.stop();
  }
  const what = { chat: "chat message", room: "room that was entered", entry: "room to be entered first" };
  for (const kind of kinds) {
    results.figure(`Rooms, ${name}`, what[kind], "post-msg", "p50, ms", ours[kind]);
    results.figure(`Rooms, ${name}`, what[kind], "bare client", "p50, ms", theirs[kind]);
  }
  // What the server itself takes longer for a room is nobody else's.
  const lessServer = differences(ours.room, differences(theirs.room, theirs.chat));
  const target = `${name}, 1 connection: room / chat message, less what the server takes longer, p50`;
  results.target(target, " ×", { atMost: 1.2 }, ratios(lessServer, ours.chat));
}

function noTimes(): Times {
  return { chat: [], room: [], entry: [] };
}

/** An instant room (XEP-0045 section 10.1.2). */
async function make(owner: Receiver, name: string): Promise<void> {
  await enter(owner, name, "owner");
  const form = "<x xmlns='jabber:x:data' type='submit'/>";
  await owner.request("set", `<query xmlns='${muc}#owner'>${form}</query>`, `${name}@${service}`);
}

async function enter(client: Receiver, room: string, nick: string): Promise<void> {
  const occupant = `${room}@${service}/${nick}`;
  client.send(`<presence to='${occupant}'><x xmlns='${muc}'><history maxstanzas='0'/></x></presence>`);
  await client.received(({ name, attributes }) => name === "presence" && attributes["from"] === occupant);
}

/** Resolves when the ping behind it is answered, which is the server's word on it. */
async function chat(client: Receiver): Promise<void> {
  client.send(`<message to='bob@example.com' type='chat' id='${crypto.randomUUID()}'><body>disk full</body></message>`);
  await client.request("get", "<ping xmlns='urn:xmpp:ping'/>", "example.com");
}

/**
 * In milliseconds until the room has shown it. The ping behind it is waited for, too: two small writes of a server in a row
 * come 40 ms apart where nothing is said in between (Nagle's algorithm and delayed acknowledgements).
 */
async function say(client: Receiver, room: string): Promise<number> {
  const id = crypto.randomUUID();
  const ping = `<iq type='get' id='behind-${id}'><ping xmlns='urn:xmpp:ping'/></iq>`;
  const startedMs = performance.now();
  client.send(`<message to='${room}@${service}' type='groupchat' id='${id}'><body>disk full</body></message>${ping}`);
  await client.received(({ name, attributes }) => name === "message" && attributes["id"] === id);
  const tookMs = performance.now() - startedMs;
  await client.received(({ attributes }) => attributes["id"] === `behind-${id}`);
  return tookMs;
}

async function postTo(url: string): Promise<void> {
  const response = await fetch(url, { method: "POST", body: "disk full", headers: { Authorization: authorization } });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`${url} was answered ${response.status}: ${text}`);
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}
