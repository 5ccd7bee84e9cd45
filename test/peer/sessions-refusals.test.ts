/** Nobody learns from a refusal why it is one: the real app, the scripted peer. */

import { expect, test } from "bun:test";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { startPeer } from "../support/peer/peer.ts";

const gridMs = 600;
const atATime = 8;
/** What a busy machine may add. */
const slackMs = 300;

test("an unknown account, a wrong password and a remembered one get the same words at the same time", async () => {
  const peer = await startPeer();
  const unlimited = { address_per_minute: 1000, server_failures: 1000, server_failures_burst: 1000 };
  const gateway = await startGateway({
    hosts: hostOf(peer),
    settings: { throttle: { failure_delay: `${gridMs}ms`, ...unlimited } },
  });
  try {
    const post = (user: string) => gateway.post("/msg/bob@example.com", "hi", { user });
    await post("alice@example.com:remembered");
    // So that a live session makes no difference either.
    await post("alice@example.com:secret");
    const kinds = [
      (nth: number) => `nobody${nth}@example.com:guess`,
      (nth: number) => `alice@example.com:guess ${nth}`,
      () => "alice@example.com:remembered",
    ];
    const words = new Set<string>();
    for (const userOf of kinds) {
      const startedMs = performance.now();
      const taken = Array.from({ length: atATime }, async (_, nth) => {
        const response = await post(userOf(nth));
        const tookMs = performance.now() - startedMs;
        const { request_id: _id, ...problem }: Record<string, unknown> = JSON.parse(await response.text());
        const headers = [...response.headers].filter(([name]) => name !== "x-request-id" && name !== "date");
        words.add(JSON.stringify([response.status, problem, headers]));
        return tookMs;
      });
      for (const tookMs of await Promise.all(taken)) {
        expect(tookMs).toBeGreaterThanOrEqual(gridMs);
        expect(tookMs % gridMs).toBeLessThan(slackMs);
      }
    }
    expect(words.size).toBe(1);
    expect([...words][0]).toContain("credentials_rejected");
  } finally {
    await gateway.stop();
    await peer.stop();
  }
});

test.each([
  ["missing", null],
  ["without a password", "alice@example.com:"],
  ["with a resource", "alice@example.com/x:secret"],
])("credentials that are %s are refused at once, and no server is asked", async (_, user) => {
  const peer = await startPeer();
  const gateway = await startGateway({ hosts: hostOf(peer), settings: { throttle: { failure_delay: "10s" } } });
  try {
    const startedMs = performance.now();
    const response = await gateway.post("/msg/bob@example.com", "hi", { user });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toStartWith("Basic ");
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(peer.connectionCount).toBe(0);
  } finally {
    await gateway.stop();
    await peer.stop();
  }
});
