/** 201 means that the server has acknowledged; everything else is told apart: the real app, the scripted peer. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import type { How, Step } from "../support/peer/fault.ts";
import type { PeerBehaviour } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

const ackTimeoutMs = 300;

let peer: Peer;
let gateway: Gateway;
beforeEach(async () => {
  // With resumption a lost connection is no loss: see acks-*.test.ts.
  peer = await startPeer({ resumption: "not-offered" });
  gateway = await startGateway({
    // What comes after the acknowledgement is the matter of acks-verdict.test.ts.
    hosts: hostOf(peer, { grace: "0s" }),
    settings: { delivery: { ack_timeout: `${ackTimeoutMs}ms` } },
  });
});
afterEach(async () => {
  await gateway.stop();
  await peer.stop();
});

const send = (body = "hi") => gateway.post("/msg/bob@example.com", body);

/** Whether a reply has come by the time at which the gateway has served another, later request. */
async function isAnswered(reply: Promise<unknown>): Promise<boolean> {
  let answered = false;
  reply.then(
    () => {
      answered = true;
    },
    () => {
      answered = true;
    },
  );
  for (let round = 0; round < 3; round++) await gateway.post("/msg/", undefined, { method: "OPTIONS" });
  return answered;
}

/** A word of the peer that a test holds back: the answer to <r/>, or to a ping. */
type Held = (release: Promise<void>) => Partial<PeerBehaviour>;

const acknowledgements: readonly (readonly [string, Held])[] = [
  ["its XEP-0198 acknowledgement", (release) => ({ ackPolicy: (handled) => release.then(() => handled) })],
  [
    "the reply to a ping, where it has no XEP-0198",
    (release) => ({ streamManagement: false, answers: { ping: (proper) => release.then(() => proper) } }),
  ],
];

describe("a 201", () => {
  test.each(acknowledgements)("comes after the server has sent %s, and not before", async (_, hold) => {
    const release = Promise.withResolvers<void>();
    peer.change(hold(release.promise));
    const reply = send();
    const message = await peer.message();
    expect(await isAnswered(reply)).toBe(false);
    expect(message.acknowledged).toBe(false);
    release.resolve();
    const response = await reply;
    expect(response.status).toBe(201);
    expect(message.acknowledged).toBe(true);
    expect(await response.json()).toEqual({
      id: message.id,
      from: "alice@example.com",
      to: "bob@example.com",
      type: "chat",
    });
  });

  test("comes also where the server knows neither XEP-0198 nor pings: its refusal of the ping is a reply", async () => {
    peer.change({ streamManagement: false, ping: false });
    expect((await send()).status).toBe(201);
  });

  test("does not come for an acknowledgement that covers less", async () => {
    peer.change({ ackPolicy: (handled) => handled - 1 });
    expect(await (await send()).json()).toMatchObject({ status: 504, code: "ack_timeout", outcome: "unknown" });
  });

  test("does not come for an acknowledgement of what was never sent", async () => {
    peer.change({ ackPolicy: (handled) => handled + 1 });
    expect(await (await send()).json()).toMatchObject({ status: 504, code: "connection_lost", outcome: "unknown" });
  });
});

describe("a message that is never acknowledged", () => {
  const silences: readonly (readonly [string, Partial<PeerBehaviour>])[] = [
    ["with XEP-0198", { ackPolicy: "never" }],
    ["without it", { streamManagement: false, onStanza: (stanza) => stanza.name === "iq" }],
  ];
  test.each(silences)("is a 504, unknown, at about ack_timeout: %s", async (_, silence) => {
    peer.change(silence);
    const startedMs = performance.now();
    const response = await send();
    const tookMs = performance.now() - startedMs;
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: "ack_timeout", outcome: "unknown" });
    expect(tookMs).toBeGreaterThanOrEqual(ackTimeoutMs);
    expect(tookMs).toBeLessThan(ackTimeoutMs + 1_000);
    expect(peer.messages.length).toBe(1);
  });

  test("takes those behind it along, and the next one is sent over a new login", async () => {
    peer.change({ ackPolicy: "never" });
    const responses = await Promise.all([send("1"), send("2"), send("3")]);
    expect(responses.map(({ status }) => status)).toEqual([504, 504, 504]);
    for (const response of responses) expect(await response.json()).toMatchObject({ outcome: "unknown" });
    peer.change({ ackPolicy: "all" });
    expect((await send("4")).status).toBe(201);
    expect(peer.connections.length).toBe(2);
    // None of them is sent a second time.
    expect(peer.messages.map(({ body }) => body).sort()).toEqual(["1", "2", "3", "4"]);
  });
});

describe("a connection that is lost after the message was written", () => {
  const losses: readonly (readonly [string, Step, How])[] = [
    ["a reset before the server has handled it", "message", "reset"],
    ["a reset in place of the acknowledgement", "ack", "reset"],
    ["the end of the stream in place of the acknowledgement", "ack", "end"],
    ["the end of the connection in place of the acknowledgement", "ack", "close"],
    ["a stream error in place of the acknowledgement", "ack", { streamError: "system-shutdown" }],
    ["garbage in place of the acknowledgement", "ack", "garbage"],
  ];
  test.each(losses)("is a 504, unknown, and the process lives on: %s", async (_, at, how) => {
    peer.change({ fault: { at, how, connection: 1 } });
    const response = await send("first");
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({ code: "connection_lost", outcome: "unknown" });
    expect((await send("second")).status).toBe(201);
    expect(peer.messages.filter(({ body }) => body === "first").length).toBeLessThanOrEqual(1);
    expect(peer.messages.at(-1)).toMatchObject({ body: "second", connection: 2, acknowledged: true });
  });
});

describe("the messages of one sender", () => {
  test("leave in the order in which their requests came, through the login too", async () => {
    const login = Promise.withResolvers<void>();
    peer.change({ answers: { success: (proper) => login.promise.then(() => proper) } });
    const bodies = Array.from({ length: 30 }, (_, index) => `message ${index}`);
    const replies: Promise<Response>[] = [];
    for (const body of bodies.slice(0, 15)) {
      const reply = send(body);
      replies.push(reply);
      // By the end of this the request has been read.
      expect(await isAnswered(reply)).toBe(false);
    }
    login.resolve();
    for (const body of bodies.slice(15)) {
      replies.push(send(body));
      await peer.message((message) => message.body === body);
    }
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual(bodies.map(() => 201));
    expect(peer.messages.map(({ body }) => body)).toEqual(bodies);
  });
});

test("what the caller was told to be sent is what the server got, whatever stands in it", async () => {
  const body = `<b>&amp; "quotes" 'n' ]]></b>\tumlauts äöü, emoji 👩‍👩‍👧, U+FFFD \ufffd, \u0085\u2028 and\nlines`;
  expect((await send(body)).status).toBe(201);
  expect(peer.messages.map((message) => message.body)).toEqual([body]);
});
