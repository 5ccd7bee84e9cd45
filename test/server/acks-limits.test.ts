/**
 * Servers that let little through at a time, as Debian's defaults do, are slow and not dead: a large message and a burst
 * are acknowledged in the end, once each, and nobody else waits for it.
 */

import { expect, test } from "bun:test";
import { idOf } from "../support/account-traffic.ts";
import { startGateway } from "../support/gateway.ts";
import { type LaneReply, sendTraffic } from "../support/http-lanes.ts";
import { hostsOf, logInReceiver, realServers } from "../support/real-servers.ts";
import { allowed, sized } from "../support/soak.ts";
import { eventually } from "../support/wait.ts";

const accounts = Object.fromEntries(["alice", "bob", "carol", "dave"].map((name) => [`${name}@example.com`, "secret"]));
const bodyBytes = sized(64 * 1024, 24 * 1024);
const burst = sized(400, 60);
const timeoutMs = allowed(240_000, 60_000);

test.concurrent.each(realServers)(
  "a large body and a burst get through the default rate limits of %s, once each, and others need not wait",
  async (_name, startServer) => {
    await using ending = new AsyncDisposableStack();
    const server = await startServer({ accounts, debianLimits: true });
    ending.defer(() => server.stop());
    const gateway = await startGateway({ hosts: hostsOf(server) });
    ending.defer(() => gateway.stop());
    const bob = await logInReceiver(server, "bob@example.com");
    ending.defer(() => bob.close());
    const large = "x".repeat(bodyBytes);
    const sentLarge = gateway.post("/msg/bob", large);
    const replies: LaneReply[] = [];
    const sentBurst = sendTraffic({
      port: gateway.port,
      lanes: burst,
      count: burst,
      body: (number) => `burst ${number}`,
      request: () => ({ user: "carol@example.com:secret", path: "/msg/bob@example.com" }),
      answered: (_number, reply) => {
        replies.push(reply);
      },
    });
    const other: LaneReply[] = [];
    await sendTraffic({
      port: gateway.port,
      lanes: 1,
      count: 5,
      body: (number) => `other ${number}`,
      request: () => ({ user: "dave@example.com:secret" }),
      answered: (_number, reply) => {
        other.push(reply);
      },
    });
    expect(other.map(({ status }) => status)).toEqual(other.map(() => 201));

    const reply = await sentLarge;
    await sentBurst;
    expect(reply.status).toBe(201);
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 201));
    const ids = [await reply.json(), ...[...replies, ...other].map(({ json }) => json)].map(idOf);
    await eventually(() => bob.waiting.length >= ids.length, 60_000, "every message at bob's client");
    expect(bob.waiting.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(bob.waiting.find(({ body }) => body === large)).toBeDefined();
    // It took no second connection to get there.
    expect(gateway.lines.filter(({ msg }) => msg === "logged in").length).toBe(3);
    expect(gateway.lines.filter(({ level }) => level === "warn")).toEqual([]);
  },
  timeoutMs,
);
