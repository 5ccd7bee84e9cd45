/**
 * Real servers behind a network that resets connections and swallows packets, under the traffic of three accounts: what a
 * caller was told to be sent has arrived, once, and in its order.
 */

import { expect, test } from "bun:test";
import { startTraffic } from "../support/account-traffic.ts";
import { startEjabberd } from "../support/ejabberd.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { startProsody } from "../support/prosody.ts";
import type { RealServer, RealServerOptions } from "../support/real-server.ts";
import { startReceiver } from "../support/receiver.ts";
import { allowed, makeRandom, sized } from "../support/soak.ts";

const ackTimeoutMs = 2_000;
const lanes = 4;
const accounts = {
  "alice@example.com": "secret",
  "carol@example.com": "secret",
  "dave@example.com": "secret",
  "bob@example.com": "secret",
};
const senders = ["alice@example.com:secret", "carol@example.com:secret", "dave@example.com:secret"];

const starters: readonly (readonly [string, (options: RealServerOptions) => Promise<RealServer>])[] = [
  ["Prosody", startProsody],
  ["ejabberd", startEjabberd],
];

test.concurrent.each(starters)(
  "no message is lost, repeated or overtaken while connections to %s are dropped",
  async (name, startServer) => {
    const random = makeRandom(`drops, ${name}`);
    await using ending = new AsyncDisposableStack();
    const server = await startServer({ accounts });
    ending.defer(() => server.stop());
    const proxy = await startFaultProxy({ port: server.c2sPort });
    ending.defer(() => proxy.stop());
    const gateway = await startGateway({
      hosts: hostOf({ ...server, port: proxy.port }),
      settings: { delivery: { ack_timeout: `${ackTimeoutMs}ms` } },
    });
    ending.defer(() => gateway.stop());
    const bob = await startReceiver({
      port: server.c2sPort,
      ca: server.authority.certificatePem,
      jid: "bob@example.com",
      password: "secret",
    });
    ending.defer(() => bob.close());
    const traffic = startTraffic({ port: gateway.port, senders, lanes, pauseMs: 5 });
    const drops = sized(1_000, 16);
    for (let drop = 0; drop < drops; drop++) {
      // Every account is connected again, since not all of the answers can be older, and goes on for a while.
      await traffic.progress(lanes + random.integer(1, 20));
      if (drop % 2 === 0) proxy.dropAll();
      else await swallow(proxy, senders.length);
    }
    await traffic.progress(30);
    const report = await traffic.finish(bob);
    expect(report).toMatchObject({ lost: [], repeated: [], inverted: [] });
    // Where the machine is too busy to reconnect before the deadline, the caller is told that it is unknown.
    const { "201": taken = 0, "504 ack_timeout": unknown = 0, ...other } = report.statuses;
    expect(other).toEqual({});
    expect(unknown).toBeLessThanOrEqual(taken / 100);
    expect(proxy.connectionCount).toBeGreaterThanOrEqual(drops);
    expect(gateway.lines.filter(({ resumed }) => resumed === false)).toEqual([]);
  },
  allowed(3_600_000, 60_000),
);

/** Until every account has given its connection up and begun another; then the packets flow again, the old ones too. */
async function swallow(proxy: FaultProxy, connections: number): Promise<void> {
  const before = proxy.connectionCount;
  proxy.blackHole(true);
  await proxy.connected(before + connections, 10_000);
  proxy.blackHole(false);
}
