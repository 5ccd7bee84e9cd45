/** What real servers refuse is never a 201, if they say so in time; what they say too late is in the log. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { codeOf, idOf } from "../support/account-traffic.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type LaneReply, sendTraffic } from "../support/http-lanes.ts";
import type { RealServer } from "../support/real-server.ts";
import { hostsOf, logInReceiver, realServers, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { allowed, sized } from "../support/soak.ts";
import { eventually } from "../support/wait.ts";

const count = sized(200, 10);
const queueLength = 5;
const occupant = "room@rooms.example.com/bob";
const accounts = Object.fromEntries(
  ["alice", "bob", "full", "blocker"].map((name) => [`${name}@example.com`, "secret"]),
);

interface Refused {
  readonly to: string;
  readonly type?: string;
  /** Any of these. */
  readonly statuses: readonly number[];
}

const local: readonly (readonly [string, Refused])[] = [
  ["an unknown local user", { to: "nobody@example.com", statuses: [404] }],
  ["an unknown local user, type normal", { to: "nobody@example.com", type: "normal", statuses: [404] }],
  ["a full offline queue", { to: "full@example.com", statuses: [404, 503] }],
  ["somebody who blocks the sender (XEP-0191)", { to: "blocker@example.com", statuses: [403, 404, 422] }],
  ["an address that only the server finds malformed", { to: "bob@example.com/\u05d0a1", statuses: [422] }],
  ["a room that does not exist", { to: "none@rooms.example.com", type: "groupchat", statuses: [404] }],
  ["an occupant of a room that does not exist", { to: "none@rooms.example.com/bob", statuses: [404, 422] }],
];

const remote: readonly (readonly [string, Refused])[] = [
  ["a domain that does not exist", { to: "bob@unreachable.invalid", statuses: [502, 504] }],
  ["a domain where nobody listens", { to: "bob@127.0.0.1", statuses: [502, 504] }],
];

describe.each(realServers)("in front of %s", (_name, startServer) => {
  let server: RealServer;
  let gateway: Gateway;
  let blocker: Receiver;
  let bob: Receiver;
  beforeAll(async () => {
    server = await startServer({
      accounts,
      roomsDomain: "rooms.example.com",
      remoteDomains: true,
      prosody: { modules: ["offline"], extraConfig: `storage_archive_item_limit = ${queueLength}` },
      ejabberd: {
        modules: { mod_offline: { access_max_user_messages: "few" } },
        extraConfig: { shaper_rules: { few: queueLength } },
      },
    });
    gateway = await startGateway({ hosts: hostsOf(server) });
    blocker = await logInReceiver(server, "blocker@example.com");
    const blocked = "<block xmlns='urn:xmpp:blocking'><item jid='alice@example.com'/></block>";
    expect((await blocker.request("set", blocked)).attributes["type"]).toBe("result");
    for (let number = 0; number < queueLength; number++) await gateway.post("/msg/full", `kept ${number}`);
    bob = await logInReceiver(server, "bob@example.com");
    bob.send(`<presence to='${occupant}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
    await bob.received(({ name, attributes }) => name === "presence" && attributes["from"] === occupant);
  }, startTimeoutMs);
  afterAll(async () => {
    await bob?.close();
    await blocker?.close();
    await gateway?.stop();
    await server?.stop();
  }, startTimeoutMs);

  test.each(local)(
    "a refusal in time is never a 201: %s",
    async (_, refused) => {
      const replies = await postAll(gateway, refused);
      expect(replies.filter(({ status }) => !refused.statuses.includes(status))).toEqual([]);
      for (const { json } of replies) expect(json).toMatchObject({ outcome: "not_sent" });
      expect(gateway.lines.filter(({ msg }) => msg === "late refusal")).toEqual([]);
    },
    allowed(300_000, 30_000),
  );

  test.each(remote)(
    "a refusal is the answer, or else it came late and is in the log with the message's id: %s",
    async (_, refused) => {
      const replies = await postAll(gateway, refused);
      const taken = replies.filter(({ status }) => status === 201);
      expect(replies.filter(({ status }) => status !== 201 && !refused.statuses.includes(status))).toEqual([]);
      for (const { json } of taken) {
        const id = idOf(json);
        await eventually(() => gateway.lines.some((line) => line["id"] === id), 10_000, `a late refusal of ${id}`);
      }
    },
    allowed(300_000, 30_000),
  );

  test.each(remote)(
    "a caller who waits gets the status of the late refusal: %s",
    async (_, refused) => {
      const [reply] = await postAll(gateway, refused, 1, { Prefer: "wait=10" });
      expect(refused.statuses).toContain(reply?.status ?? 0);
      expect(codeOf(reply?.json)).toStartWith("remote_server_");
    },
    startTimeoutMs,
  );

  test(
    "refused and taken messages in one burst do not get each other's answers",
    async () => {
      const before = bob.waiting.length;
      const replies: LaneReply[] = [];
      await sendTraffic({
        port: gateway.port,
        lanes: 20,
        count: count * 6,
        body: (number) => `burst ${number}`,
        request: (number) => ({ path: `/msg/${["bob", "nobody", "blocker"][number % 3]}@example.com` }),
        answered: (number, reply) => {
          replies[number] = reply;
        },
      });
      expect(replies.map(({ status }) => status)).toEqual(replies.map((_reply, number) => (number % 3 ? 404 : 201)));
      await eventually(() => bob.waiting.length === before + count * 2, 5_000, "all messages for bob");
      const ids = replies.filter(({ status }) => status === 201).map(({ json }) => idOf(json));
      expect(new Set(bob.waiting.slice(before).map(({ id }) => id))).toEqual(new Set(ids));
    },
    allowed(300_000, 30_000),
  );
});

async function postAll(
  gateway: Gateway,
  { to, type = "chat" }: Refused,
  requests = count,
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly LaneReply[]> {
  const replies: LaneReply[] = [];
  await sendTraffic({
    port: gateway.port,
    lanes: 4,
    count: requests,
    body: (number) => JSON.stringify({ to, type, body: `refuse ${number}` }),
    request: () => ({ path: "/msg/", headers: { ...headers, "Content-Type": "application/json" } }),
    answered: (_number, reply) => {
      replies.push(reply);
    },
  });
  return replies;
}
