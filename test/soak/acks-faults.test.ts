/**
 * Callers whose messages go over a connection that is reset wherever it hurts, to a server that acknowledges late, too
 * little or not at all: nobody is told that a message was sent before the server has said so, and nothing is sent twice.
 */

import { beforeAll, expect, test } from "bun:test";
import { idOf } from "../support/account-traffic.ts";
import { type FaultProxy, type ResetPoint, startFaultProxy } from "../support/fault-proxy.ts";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type LaneReply, sendTraffic } from "../support/http-lanes.ts";
import type { PeerBehaviour } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { allowed, makeRandom, type Random, sized } from "../support/soak.ts";
import { countTimers } from "../support/timers.ts";
import { eventually } from "../support/wait.ts";

const ackTimeoutMs = 1_000;
const loginTimeoutMs = 2_000;
const lanes = 16;
const longestBody = 600;
/** What the gateway adds to a deadline for all bytes that can be on their way at 3,000 B/s. */
const bytesMs = (lanes * (longestBody + 400)) / 3;
const deadlineMs = ackTimeoutMs + bytesMs + 1_000;

const resumptions: readonly PeerBehaviour["resumption"][] = ["accept", "refuse", "refuse-with-count", "not-offered"];

// Elysia keeps a timer from its first request on.
beforeAll(async () => {
  const peer = await startPeer();
  const gateway = await startGateway({ hosts: hostOf(peer) });
  await gateway.post("/msg/bob", "hi");
  await gateway.stop();
  await peer.stop();
});

test.each(resumptions)(
  "a 201 is a message that was handled once and acknowledged, whatever breaks; resumption: %s",
  async (resumption) => {
    const random = makeRandom(`faults, resumption ${resumption}`);
    const count = sized(1_250, 120);
    using timers = countTimers();
    const firstSeenMs = new Map<string, number>();
    await using ending = new AsyncDisposableStack();
    const peer = await startPeer({
      resumption,
      ackPolicy: makeAckPolicy(random),
      onStanza: ({ attributes: { id = "" } }) => {
        if (!firstSeenMs.has(id)) firstSeenMs.set(id, performance.now());
        return false;
      },
    });
    ending.defer(() => peer.stop());
    const proxy = await startFaultProxy(peer, { resetAfterBytes: makeResetPoints(random) });
    ending.defer(() => proxy.stop());
    const gateway = await startGateway({
      hosts: hostOf({ ...peer, port: proxy.port }, { grace: random.pick(["auto", "0s"]) }),
      settings: {
        delivery: { ack_timeout: `${ackTimeoutMs}ms` },
        sessions: { login_timeout: `${loginTimeoutMs}ms` },
        log: { level: "debug" },
      },
    });
    ending.defer(() => gateway.stop());
    const startedMs: number[] = [];
    const replies: LaneReply[] = [];
    await sendTraffic({
      port: gateway.port,
      lanes,
      count,
      body: (number) => {
        startedMs[number] = performance.now();
        return `${number} ${"x".repeat(random.integer(0, longestBody))}`;
      },
      answered: async (number, reply) => {
        replies[number] = reply;
        // After failed logins an account is left alone for a while; callers come back when they were told to.
        if (reply.status === 503) await Bun.sleep(1000 * Number(reply.headers["retry-after"]));
      },
    });

    expect(replies.filter(({ status }) => ![201, 502, 503, 504].includes(status))).toEqual([]);
    expect(falselyReported(replies, peer)).toEqual([]);
    expect(repeated(peer.messages.map(({ id }) => id))).toEqual([]);
    expect(inversions(numbersOf(peer, replies))).toEqual([]);
    expect(late(replies, startedMs, peer, firstSeenMs)).toEqual([]);
    expect(replies.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    expect(peer.connectionCount).toBeGreaterThan(1);

    proxy.change({ resetAfterBytes: {} });
    peer.change({ ackPolicy: "all" });
    await eventually(
      async () => (await gateway.post("/msg/bob", "after it")).status === 201,
      10_000,
      "a working cache",
    );
    await gateway.stop();
    await expectNothingOpen(proxy, peer);
    await proxy.stop();
    await peer.stop();
    await eventually(() => timers.pending === 0, 5_000, "no timer left");
  },
  allowed(900_000, 60_000),
);

function makeAckPolicy(random: Random): PeerBehaviour["ackPolicy"] {
  let told = 0;
  return async (handled) => {
    // The count begins anew with a session that was not resumed.
    told = Math.min(told, handled);
    if (random.chance(0.03)) return undefined;
    if (random.chance(0.1)) await Bun.sleep(random.integer(1, 60));
    if (random.chance(0.003)) return Math.max(0, told - 1);
    told = random.chance(0.2) ? random.integer(told, handled + 1) : handled;
    return told;
  };
}

/** Every connection has its end: mostly among the messages and their acknowledgements, at times in the midst of a login. */
function makeResetPoints(random: Random): (connection: number) => ResetPoint {
  const points = new Map<number, ResetPoint>();
  return (connection) => {
    const point = points.get(connection) ?? drawResetPoint(random);
    points.set(connection, point);
    return point;
  };
}

function drawResetPoint(random: Random): ResetPoint {
  if (random.chance(0.1)) {
    return random.chance(0.5) ? { toServer: random.integer(0, 3_300) } : { toClient: random.integer(0, 4_600) };
  }
  const [toServer, toClient] = [3_300 + random.integer(0, 6_000), 4_600 + random.integer(0, 400)];
  return random.chance(0.5) ? { toServer } : { toClient };
}

/**
 * In the order in which the peer handled them. Those that the gateway has given up as unknown do not count: the peer may
 * read them from the lost connection when a later session has begun already.
 */
function numbersOf(peer: Peer, replies: readonly LaneReply[]): readonly number[] {
  const numbers = peer.messages.map(({ body }) => Number.parseInt(body, 10));
  return numbers.filter((number) => replies[number]?.status === 201);
}

/** 201s without exactly one message at the peer that it has acknowledged. */
function falselyReported(replies: readonly LaneReply[], peer: Peer): readonly string[] {
  return replies.flatMap(({ status, json }, number) => {
    const copies = peer.messages.filter(({ id }) => id === idOf(json));
    if (status !== 201 || (copies.length === 1 && copies[0]?.acknowledged)) return [];
    const told = copies.map(({ connection, acknowledged }) => `connection ${connection}, ${acknowledged}`);
    return [`${number}: ${copies.length} copies (${told.join("; ")})`];
  });
}

function repeated(ids: readonly string[]): readonly string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

function inversions(numbers: readonly number[]): readonly string[] {
  return numbers.flatMap((number, index) => {
    const before = numbers[index - 1] ?? -1;
    return before > number ? [`${number} after ${before}`] : [];
  });
}

/** Answers that came later than the deadline, counted from the message's arrival, where it did arrive. */
function late(
  replies: readonly LaneReply[],
  startedMs: readonly number[],
  peer: Peer,
  firstSeenMs: ReadonlyMap<string, number>,
): readonly string[] {
  const arrivedMs = new Map(peer.messages.map(({ id, body }) => [Number.parseInt(body, 10), firstSeenMs.get(id)]));
  return replies.flatMap(({ tookMs, status }, number) => {
    const startMs = startedMs[number] ?? 0;
    // Unwritten, it waits for a login, then for its turn; once written, the time for it begins anew.
    const writtenMs = arrivedMs.get(number) ?? startMs + loginTimeoutMs + deadlineMs;
    const excessMs = startMs + tookMs - (writtenMs + deadlineMs);
    return excessMs > 0 ? [`${number}: ${status} after ${tookMs} ms, ${excessMs} too late`] : [];
  });
}

async function expectNothingOpen(proxy: FaultProxy, peer: Peer): Promise<void> {
  await peer.settled(0);
  await eventually(() => proxy.openCount === 0, 5_000, "no connection left open");
}
