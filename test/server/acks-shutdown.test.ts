/** SIGTERM with messages in flight: the executable, real servers that take their time. */

import { expect, test } from "bun:test";
import { idOf } from "../support/account-traffic.ts";
import { startBinary } from "../support/gateway.ts";
import { type LaneReply, sendTraffic } from "../support/http-lanes.ts";
import { hostsOf, logInReceiver, realServers } from "../support/real-servers.ts";
import { startTapProxy } from "../support/tap-proxy.ts";
import { eventually } from "../support/wait.ts";

const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
const count = 16;
/** Some seconds' worth at the rates that the servers let through. */
const bodyBytes = 2_000;
const mostMs = 25_000;

test.concurrent.each(realServers)(
  "a stop lets %s acknowledge what is in flight, then ends the stream properly, with exit code 0",
  async (_name, startServer) => {
    await using ending = new AsyncDisposableStack();
    const server = await startServer({ accounts, security: "plain", debianLimits: true });
    ending.defer(() => server.stop());
    const tap = await startTapProxy(server.c2sPort);
    ending.defer(() => tap.stop());
    const binary = await startBinary({ hosts: hostsOf(server, { insecure_plaintext: true }, tap.port) });
    ending.defer(() => binary.stop());
    const bob = await logInReceiver(server, "bob@example.com", { security: "plain" });
    ending.defer(() => bob.close());
    const replies: LaneReply[] = [];
    const sent = sendTraffic({
      port: binary.port,
      lanes: count,
      count,
      body: (number) => `${number} ${"x".repeat(bodyBytes)}`,
      answered: (_number, reply) => {
        replies.push(reply);
      },
    });
    await tap.saying((said) => said.split("<message ").length > count, "all messages to be written");
    expect(replies.length).toBeLessThan(count);
    const stoppedMs = performance.now();
    // Rejects for any other exit code than 0.
    await binary.stop();
    expect(performance.now() - stoppedMs).toBeLessThan(mostMs);
    await sent;
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 201));
    expect(tap.said).toMatch(/<a xmlns="urn:xmpp:sm:3" h="\d+"\/><\/stream:stream>$/);
    expect(tap.heard).toEndWith("</stream:stream>");
    await eventually(() => bob.waiting.length >= count, 30_000, "all messages at bob's client");
    expect(bob.waiting.map(({ id }) => id).sort()).toEqual(replies.map(({ json }) => idOf(json)).sort());
  },
  90_000,
);
