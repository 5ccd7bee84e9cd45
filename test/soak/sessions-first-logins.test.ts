/** Many accounts that come for the first time, all at once: everybody is served, and the server is not overrun. */

import { expect, test } from "bun:test";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { countLoginsUnderWay } from "../support/logins-under-way.ts";
import { startPeer } from "../support/peer/peer.ts";
import { isSoak, sized } from "../support/soak.ts";

const accounts = sized(1_000, 150);

const users = Array.from({ length: accounts }, (_, index) => `user${index}@example.com`);
const peerAccounts = Object.fromEntries(users.map((user) => [user, "secret"]));

/** Of the usual login_concurrency, what accounts get that nobody has seen log in. */
const places = 24;
const manyMayFail = { server_failures: 1000, server_failures_burst: 1000 };

const rows = [
  // A password that nobody has seen succeed is a failure until it is none, and there is room for 4 in 30 s.
  ["as many proofs as may fail at the server", {}, 4, 0],
  ["as many logins as have places, where the server bans nobody", manyMayFail, places, 0],
  ["as many proofs as may fail, to a server 20 ms away", {}, 4, 10],
] as const;

test.each(rows)("first logins, all at once, go %s at a time", async (_, throttle, mostProving, delayMs) => {
  const logins = countLoginsUnderWay();
  const peer = await startPeer({ accounts: peerAccounts, answers: logins.answers, record: false });
  const proxy = await startFaultProxy({ port: peer.port });
  proxy.change({ delayMs });
  const gateway = await startGateway({
    hosts: hostOf({ ...peer, port: proxy.port }),
    settings: { sessions: { login_timeout: "60s", max: accounts }, throttle },
  });
  try {
    const startedMs = performance.now();
    const responses = await Promise.all(
      users.map((user) => gateway.post("/msg/bob@example.com", "hi", { user: `${user}:secret` })),
    );
    const tookMs = performance.now() - startedMs;
    const what = `${accounts} first logins, ${2 * delayMs} ms away, ${mostProving} proofs at a time`;
    if (isSoak) process.stdout.write(`${what}: ${Math.round(tookMs)} ms\n`);
    const statuses = new Set(responses.map(({ status }) => status));
    expect([...statuses]).toEqual([201]);
    expect([logins.most, logins.done, peer.connectionCount]).toEqual([places, accounts, accounts]);
    // All who have a place need not be proving at one moment.
    if (mostProving === places) expect(logins.mostProving).toBeLessThanOrEqual(places);
    else expect(logins.mostProving).toBe(mostProving);
  } finally {
    await gateway.stop();
    await proxy.stop();
    await peer.stop();
  }
});
