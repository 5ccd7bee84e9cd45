/** A slow server is not a dead one, and a dead one is found out in time: the real app, the scripted peer. */

import { expect, test } from "bun:test";
import { countStatuses } from "../support/account-traffic.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type LaneReply, openLane } from "../support/http-lanes.ts";
import type { PeerBehaviour } from "../support/peer/options.ts";
import { startPeer } from "../support/peer/peer.ts";

/** Twice what post-msg counts on, 2,000. */
const bytesPerSecond = 4_000;

async function begin(ackTimeout: string, grace: string, behaviour: Partial<PeerBehaviour> = {}) {
  const peer = await startPeer(behaviour);
  const proxy = await startFaultProxy(peer);
  const gateway = await startGateway({
    hosts: hostOf({ ...peer, port: proxy.port }, { grace }),
    settings: { delivery: { ack_timeout: ackTimeout } },
    drainMs: 100,
  });
  const end = async () => {
    await gateway.stop();
    await proxy.stop();
    await peer.stop();
  };
  return { peer, proxy, gateway, [Symbol.asyncDispose]: end };
}

const kinds: readonly (readonly [string, string, boolean])[] = [
  ["with XEP-0198", "0s", true],
  ["with XEP-0198, and refusing late", "10ms", true],
  ["without XEP-0198", "0s", false],
];

test.concurrent.each(kinds)(
  "messages that come one after another while a slow server still reads the first ones are all acknowledged: %s",
  async (_, grace, streamManagement) => {
    await using parts = await begin("4s", grace, { streamManagement });
    const { peer, proxy, gateway } = parts;
    expect((await gateway.post("/msg/bob", "first")).status).toBe(201);
    proxy.change({ bytesPerSecond });
    const replies: LaneReply[] = await Promise.all(
      Array.from({ length: 60 }, async (_none, number) => {
        const lane = await openLane(gateway.port);
        await Bun.sleep(3 * number);
        const reply = await lane.post(`${number} ${"x".repeat(100)}`);
        lane.close();
        return reply;
      }),
    );
    expect(countStatuses(replies)).toEqual({ "201": replies.length });
    expect(peer.messages.length).toBe(replies.length + 1);
    expect(peer.connectionCount).toBe(1);
  },
  30_000,
);

test.concurrent("what stands behind a message does not put off its deadline", async () => {
  const ackTimeoutMs = 300;
  await using parts = await begin(`${ackTimeoutMs}ms`, "0s", { ackPolicy: "never", resumption: "not-offered" });
  const lanes = await Promise.all(Array.from({ length: 30 }, () => openLane(parts.gateway.port)));
  const pending = lanes.map((lane) => lane.post("x".repeat(3_000)));
  const reply = await Promise.race(pending);
  expect(reply.status).toBe(504);
  // The login, the message's own bytes at 3,000 B/s, ack_timeout, and a second.
  expect(reply.tookMs).toBeLessThan(500 + 1_100 + ackTimeoutMs + 1_000);
  for (const lane of lanes) lane.close();
  await Promise.allSettled(pending);
});
