/** A message over which the server ends the stream fails alone; the others around it are sent once: the scripted peer. */

import { afterEach, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type LaneReply, sendTraffic } from "../support/http-lanes.ts";
import type { How } from "../support/peer/fault.ts";
import type { PeerBehaviour } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { streamError } from "../support/peer/replies.ts";

let peer: Peer;
let gateway: Gateway;
afterEach(async () => {
  await gateway.stop();
  await peer.stop();
});

/** Seven messages leave in one write; the server ends the stream over the one with this number (from 0). */
const poison = 2;
const count = 7;

/** The server tells its count before it ends the stream, as XEP-0198 section 4 recommends. */
const tellAndEnd = (condition: string, handled: number): How => {
  const lastWords = `<a xmlns='urn:xmpp:sm:3' h='${handled}'/>${streamError(condition)}</stream:stream>`;
  // biome-ignore lint/suspicious/noThenProperty: the word of the peer's scripts for what comes next
  return { send: lastWords, then: "close" };
};

type Row = readonly [string, PeerBehaviour["resumption"], (condition: string, handled: number) => How];

const endings: readonly Row[] = [
  ["that lets the session be resumed", "accept", (condition) => ({ streamError: condition })],
  ["that tells its count when it refuses resumption", "refuse-with-count", (streamError) => ({ streamError })],
  ["that tells its count in a last acknowledgement, and forgets the session", "refuse", tellAndEnd],
];

/** The condition, the bytes of the message, what its caller gets, and what the server tells of its limit. */
const complaints: readonly (readonly [string, number, number, number | undefined])[] = [
  ["not-well-formed", 10, 422, undefined],
  ["invalid-xml", 10, 422, undefined],
  ["unsupported-stanza-type", 10, 422, undefined],
  ["policy-violation", 30_000, 413, 100_000],
];

const cases = endings.flatMap(([ending, resumption, end]) =>
  complaints.map(([condition, bytes, status, maxStanzaBytes]) => {
    return { ending, resumption, end, condition, bytes, status, maxStanzaBytes };
  }),
);

test.each(cases)("$condition of a server $ending: $status, tried twice, its neighbours are sent", async (row) => {
  const { resumption, end, condition, bytes, status, maxStanzaBytes } = row;
  const replies = await sendAll({
    resumption,
    maxStanzaBytes,
    fault: [
      { at: "message", connection: 1, nth: poison + 1, how: end(condition, poison) },
      { at: "message", connection: 2, nth: 1, how: end(condition, resumption === "accept" ? poison : 0) },
    ],
    bytes,
  });
  expect(replies.map((reply) => reply.status)).toEqual(neighbours(status));
  expect(replies[poison]?.json).toMatchObject({
    code: status === 413 ? "stanza_too_large" : "stanza_complaint",
    outcome: "not_sent",
  });
  expect(peer.messages.map(({ body }) => Number.parseInt(body, 10))).toEqual([0, 1, 3, 4, 5, 6]);
  // On the second connection it came first and alone.
  const second = peer.connections[1]?.stanzas.filter(({ name }) => name === "message") ?? [];
  expect(second.length).toBe(1);
  expect(peer.connectionCount).toBe(3);
});

test.each(["accept", "refuse", "not-offered"] as const)(
  "what may be too large goes alone, so that its neighbours are safe where the session is forgotten: %s",
  async (resumption) => {
    const end: How = { streamError: "policy-violation" };
    const replies = await sendAll({
      resumption,
      fault: [
        { at: "message", connection: 1, nth: poison + 1, how: end },
        { at: "message", connection: 2, nth: 1, how: end },
      ],
      bytes: 30_000,
    });
    expect(replies.map((reply) => reply.status)).toEqual(neighbours(413));
    expect(peer.messages.map(({ body }) => Number.parseInt(body, 10))).toEqual([0, 1, 3, 4, 5, 6]);
  },
);

test("a message that was suspected wrongly is sent, and the others after it", async () => {
  const replies = await sendAll({
    resumption: "accept",
    fault: { at: "message", connection: 1, nth: poison + 1, how: { streamError: "not-well-formed" } },
    bytes: 10,
  });
  expect(replies.map((reply) => reply.status)).toEqual(neighbours(201));
  expect(peer.messages.map(({ body }) => Number.parseInt(body, 10))).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("a server that ends the stream without a count leaves everything unknown, and nothing is sent again", async () => {
  const replies = await sendAll({
    resumption: "refuse",
    fault: { at: "message", connection: 1, nth: poison + 1, how: { streamError: "not-well-formed" } },
    bytes: 10,
  });
  expect(replies.map((reply) => reply.status)).toEqual(Array(count).fill(504));
  expect(peer.messages.map(({ body }) => Number.parseInt(body, 10))).toEqual([0, 1]);
});

test("a small message is not taken for the reason of a policy-violation", async () => {
  const replies = await sendAll({
    resumption: "accept",
    fault: { at: "message", connection: 1, nth: poison + 1, how: { streamError: "policy-violation" } },
    bytes: 10,
  });
  expect(replies.filter(({ status }) => status === 422 || status === 413 || status === 201)).toEqual([]);
  expect(peer.messages.length).toBe(poison);
});

test("nor is a large one behind it: nobody is told that it is too large, and no session goes on", async () => {
  const end: How = { streamError: "policy-violation" };
  const replies = await sendAll({
    resumption: "accept",
    fault: { at: "message", connection: 1, nth: poison, how: end },
    bytes: 30_000,
    // Told by the server (XEP-0478), so that large ones leave with the others.
    maxStanzaBytes: 100_000,
  });
  expect(replies.filter(({ status }) => status === 422 || status === 413).length).toBe(0);
  expect(replies[0]?.status).toBe(201);
  expect(peer.messages.length).toBe(1);
});

interface Sending extends Pick<PeerBehaviour, "resumption" | "fault"> {
  readonly maxStanzaBytes?: number | undefined;
  readonly bytes: number;
}

/** Numbered messages, the suspicious one with so many bytes, which all wait for the login and then leave together. */
async function sendAll({ resumption, fault, bytes, maxStanzaBytes }: Sending): Promise<readonly LaneReply[]> {
  const login = Promise.withResolvers<void>();
  peer = await startPeer({
    resumption,
    fault,
    maxStanzaBytes,
    answers: { enable: (proper) => login.promise.then(() => proper) },
  });
  gateway = await startGateway({ hosts: hostOf(peer, { grace: "0s" }) });
  const replies: LaneReply[] = [];
  const sent = sendTraffic({
    port: gateway.port,
    lanes: count,
    count,
    body: (number) => `${number} ${"x".repeat(number === poison ? bytes : 10)}`,
    answered: (number, reply) => {
      replies[number] = reply;
    },
  });
  await (await peer.connection(1)).reached("enable");
  // By the time that this is answered, the gateway has read what was written before it.
  for (let round = 0; round < 3; round++) await gateway.post("/msg", undefined, { method: "OPTIONS" });
  login.resolve();
  await sent;
  return replies;
}

function neighbours(status: number): number[] {
  return Array.from({ length: count }, (_, number) => (number === poison ? status : 201));
}
