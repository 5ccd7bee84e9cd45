/** The queue of an account is bounded, and a caller who leaves it changes nothing for the others: the scripted peer. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { openLane } from "../support/http-lanes.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { eventually } from "../support/wait.ts";

const maxPending = 20;

let peer: Peer;
let gateway: Gateway;
let release: () => void;
beforeEach(async () => {
  const released = Promise.withResolvers<void>();
  release = released.resolve;
  peer = await startPeer({ ackPolicy: async (handled) => released.promise.then(() => handled) });
  gateway = await startGateway({
    hosts: hostOf(peer, { grace: "0s" }),
    settings: { delivery: { ack_timeout: "10s", max_pending: maxPending, max_pending_bytes: "256KiB" } },
  });
});
afterEach(async () => {
  release();
  await gateway.stop();
  await peer.stop();
});

const send = (body: string, signal?: AbortSignal) =>
  gateway.post("/msg/bob@example.com", body, signal === undefined ? {} : { signal });

/** Requests that were made before this are read by the time it resolves. */
async function readByNow(): Promise<void> {
  for (let round = 0; round < 3; round++) await gateway.post("/msg", undefined, { method: "OPTIONS" });
}

async function expectRefusedAtOnce(body: string): Promise<void> {
  const startedMs = performance.now();
  const refused = await send(body);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ code: "overloaded", outcome: "not_sent" });
}

describe("an account with as much on its way as it may have", () => {
  test("is refused at once, by count, and served again when the server has caught up", async () => {
    const lanes = await Promise.all(Array.from({ length: maxPending }, () => openLane(gateway.port)));
    const pending = lanes.map((lane, index) => lane.post(`${index}`));
    await peer.message();
    await readByNow();
    await expectRefusedAtOnce("one too many");
    release();
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual(pending.map(() => 201));
    for (const lane of lanes) lane.close();
    expect((await send("after it")).status).toBe(201);
    expect(peer.messages.map(({ body }) => body)).not.toContain("one too many");
  });

  test("is refused at once, by bytes, while a small message still fits", async () => {
    const large = "x".repeat(60_000);
    const first = send("first");
    await peer.message();
    const pending = Array.from({ length: 4 }, () => send(large));
    await readByNow();
    await expectRefusedAtOnce(large);
    const small = send("small");
    await readByNow();
    release();
    const replies = await Promise.all([first, ...pending, small]);
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 201));
    expect((await send(large)).status).toBe(201);
    expect(peer.messages.length).toBe(7);
  });
});

describe("a caller who hangs up", () => {
  test("after the message was written changes nothing for the others, and none is sent twice", async () => {
    const callers = Array.from({ length: 8 }, (_, index) => {
      const hangUp = new AbortController();
      return { index, hangUp, reply: send(`${index}`, hangUp.signal).catch(() => undefined) };
    });
    await eventually(() => peer.messages.length === callers.length, 5_000, "all messages at the peer");
    for (const { index, hangUp } of callers) if (index % 3 === 0) hangUp.abort();
    await readByNow();
    release();
    const statuses = await Promise.all(callers.map(async ({ reply }) => (await reply)?.status));
    expect(statuses).toEqual(callers.map(({ index }) => (index % 3 === 0 ? undefined : 201)));
    expect(new Set(peer.messages.map(({ body }) => body)).size).toBe(callers.length);
    expect(peer.messages.length).toBe(callers.length);
    expect((await send("after it")).status).toBe(201);
    expect(peer.connectionCount).toBe(1);
  });

  test("before it was written is not sent for", async () => {
    const login = Promise.withResolvers<void>();
    peer.change({ ackPolicy: "all", answers: { bind: (proper) => login.promise.then(() => proper) } });
    const callers = Array.from({ length: 6 }, (_, index) => {
      const hangUp = new AbortController();
      return { index, hangUp, reply: send(`${index}`, hangUp.signal).catch(() => undefined) };
    });
    await (await peer.connection(1)).reached("bind");
    await readByNow();
    for (const { index, hangUp } of callers) if (index % 2 === 0) hangUp.abort();
    await readByNow();
    login.resolve();
    const statuses = await Promise.all(callers.map(async ({ reply }) => (await reply)?.status));
    expect(statuses).toEqual(callers.map(({ index }) => (index % 2 === 0 ? undefined : 201)));
    expect(peer.messages.map(({ body }) => body).sort()).toEqual(["1", "3", "5"]);
  });
});
