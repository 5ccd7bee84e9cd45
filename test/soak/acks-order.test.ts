/** The messages of one sender arrive in the order in which their requests were made, however often the connection drops. */

import { expect, test } from "bun:test";
import { startTraffic } from "../support/account-traffic.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { sendTraffic } from "../support/http-lanes.ts";
import { startPeer } from "../support/peer/peer.ts";
import { hostsOf, logInReceiver, realServers } from "../support/real-servers.ts";
import { allowed, makeRandom, sized } from "../support/soak.ts";

const count = sized(100_000, 2_000);
const drops = sized(200, 10);
const lanes = 32;
const timeoutMs = allowed(1_800_000, 60_000);

test(
  "no message overtakes another on its way to a server that resumes the session",
  async () => {
    const random = makeRandom("order, peer");
    let latest = -1;
    const inversions: string[] = [];
    const seen = new Set<number>();
    await using ending = new AsyncDisposableStack();
    const peer = await startPeer({
      record: false,
      onStanza: ({ name, raw }) => {
        if (name !== "message") return false;
        const number = Number(/<body>(\d+)</.exec(raw)?.[1]);
        if (number <= latest) inversions.push(`${number} after ${latest}${seen.has(number) ? ", again" : ""}`);
        latest = number;
        seen.add(number);
        return false;
      },
    });
    ending.defer(() => peer.stop());
    const proxy = await startFaultProxy(peer);
    ending.defer(() => proxy.stop());
    const gateway = await startGateway({
      hosts: hostOf({ ...peer, port: proxy.port }, { grace: "0s" }),
      settings: { log: { level: "error" } },
    });
    ending.defer(() => gateway.stop());
    const perDrop = Math.floor(count / (drops + 1));
    let answered = 0;
    let nextDropAt = perDrop;
    const statuses = new Map<number, number>();
    await sendTraffic({
      port: gateway.port,
      lanes,
      count,
      body: (number) => `${number}`,
      answered: (_number, { status }) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (++answered < nextDropAt) return;
        nextDropAt += random.integer(Math.ceil(perDrop / 2), perDrop + 1);
        proxy.dropAll();
      },
    });
    expect(inversions).toEqual([]);
    expect([...statuses]).toEqual([[201, count]]);
    expect(seen.size).toBe(count);
    expect(proxy.connectionCount).toBeGreaterThan(drops);
  },
  timeoutMs,
);

test.concurrent.each(realServers)(
  "no message overtakes another on its way through %s to the recipient's client",
  async (name, startServer) => {
    const random = makeRandom(`order, ${name}`);
    await using ending = new AsyncDisposableStack();
    const server = await startServer({ accounts: { "alice@example.com": "secret", "bob@example.com": "secret" } });
    ending.defer(() => server.stop());
    const proxy = await startFaultProxy({ port: server.c2sPort });
    ending.defer(() => proxy.stop());
    const gateway = await startGateway({
      hosts: hostsOf(server, {}, proxy.port),
      settings: { log: { level: "error" } },
    });
    ending.defer(() => gateway.stop());
    const bob = await logInReceiver(server, "bob@example.com");
    ending.defer(() => bob.close());
    const messages = sized(20_000, 1_000);
    const traffic = startTraffic({ port: gateway.port, senders: ["alice@example.com:secret"], lanes, count: messages });
    for (let drop = 0; drop < sized(100, 8); drop++) {
      await traffic.progress(random.integer(lanes, 3 * lanes));
      proxy.dropAll();
    }
    const report = await traffic.finish(bob);
    expect(report).toEqual({ sent: messages, statuses: { "201": messages }, lost: [], repeated: [], inverted: [] });
  },
  timeoutMs,
);
