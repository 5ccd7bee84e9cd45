/**
 * What post-msg adds to a server's own time for a message, at rest and at a steady 50 a second; and what a burst of one
 * account does to another one. `bun test/bench/latency.ts` runs ./post-msg in front of Prosody and of ejabberd, and beside
 * it a bare XMPP client that sends the same message and waits for the reply to a ping behind it, in turns.
 * `… latency.ts neighbour` measures the last part alone.
 */

import { join } from "node:path";
import { startChild } from "../support/child-process.ts";
import { startBinary } from "../support/gateway.ts";
import type { RealServer } from "../support/real-server.ts";
import { hostsOf, logInReceiver, realServers } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { type Spread, showMs, spreadOf } from "./statistics.ts";

type Gateway = Awaited<ReturnType<typeof startBinary>>;

const rounds = 5;
const restPauseMs = 50;
const restMessages = 60;
const steadyMessages = 250;
const steadyPauseMs = 20;
/** Slow enough to stay below the rate limits itself. */
const neighbourPauseMs = 200;
const neighbourRounds = 5;
/** For the burst's process to start and to open its connections. */
const burstStartMs = 2_500;
const accounts = Object.fromEntries(["alice", "bob", "carol", "dave"].map((name) => [`${name}@example.com`, "secret"]));
const grace: Readonly<Record<string, number>> = { Prosody: 0, ejabberd: 10 };

const only = process.argv[2];
for (const [name, start] of realServers) {
  if (only !== "neighbour") await measureLatency(name, await start({ accounts }));
  await measureNeighbour(name, await start({ accounts, debianLimits: true }));
}

async function measureLatency(name: string, server: RealServer): Promise<void> {
  const gateway = await startBinary({ hosts: hostsOf(server), settings: { log: { level: "warn" } } });
  const bob = await logInReceiver(server, "bob@example.com");
  const raw = await logInReceiver(server, "dave@example.com", { presence: false });
  try {
    await compare(`${name}, at rest`, grace[name] ?? 0, restMessages, restPauseMs, gateway, raw);
    await compare(`${name}, 50 a second`, grace[name] ?? 0, steadyMessages, steadyPauseMs, gateway, raw);
  } finally {
    await Promise.all([bob.close(), raw.close()]);
    await gateway.stop();
    await server.stop();
  }
}

/** In turns, so that whatever else the machine does is done to both. */
async function compare(
  what: string,
  graceMs: number,
  messages: number,
  pauseMs: number,
  gateway: Gateway,
  raw: Receiver,
): Promise<void> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  await post(gateway, "alice");
  for (let round = 0; round < rounds; round++) {
    theirs.push(...(await paced(messages, pauseMs, () => sendRaw(raw))));
    ours.push(...(await paced(messages, pauseMs, () => post(gateway, "alice"))));
  }
  const [own, bare] = [spreadOf(ours), spreadOf(theirs)];
  say(`${what}: post-msg ${show(own)}, bare client ${show(bare)}`);
  say(
    `  above the server's own: p50 ${showMs(own.p50 - bare.p50)} ms (at most ${graceMs + 5}), p99 ${showMs(own.p99 - bare.p99)} ms (at most ${graceMs + 25})`,
  );
}

/**
 * A 64 KiB body and a burst of 400 of one account, through the rate limits that Debian ships, beside another account; and
 * beside a bare client too, which shares nothing with the burst but the server and the machine. At rest and beside the
 * burst in turns.
 */
async function measureNeighbour(name: string, server: RealServer): Promise<void> {
  const gateway = await startBinary({
    hosts: hostsOf(server),
    settings: { log: { level: "warn" }, http: { max_body: "128KiB" } },
  });
  const bob = await logInReceiver(server, "bob@example.com");
  const raw = await logInReceiver(server, "dave@example.com", { presence: false });
  const measure = async (ours: number[], theirs: number[]) => {
    // Out of step with one another.
    const bare = Bun.sleep(neighbourPauseMs / 2).then(() => paced(10, neighbourPauseMs, () => sendRaw(raw)));
    ours.push(...(await paced(10, neighbourPauseMs, () => post(gateway, "carol"))));
    theirs.push(...(await bare));
  };
  try {
    await Promise.all([post(gateway, "alice"), post(gateway, "carol"), sendRaw(raw)]);
    const [atRest, beside]: [number[][], number[][]] = [
      [[], []],
      [[], []],
    ];
    for (let round = 0; round < neighbourRounds; round++) {
      for (let i = 0; i < 6; i++) await measure(atRest[0] ?? [], atRest[1] ?? []);
      // The burst comes at some moment of the neighbour's day, and not in step with it.
      const atMs = Date.now() + burstStartMs + neighbourPauseMs * Math.random();
      const burst = startChild([process.execPath, join(import.meta.dir, "burst.ts"), `${gateway.port}`, `${atMs}`]);
      let over = false;
      const ended = burst.exited.then((code) => {
        over = true;
        if (code !== 0) throw new Error(`The burst ended with ${code}:\n${burst.output()}`);
      });
      await Bun.sleep(burstStartMs - 500);
      while (!over) await measure(beside[0] ?? [], beside[1] ?? []);
      await ended;
    }
    for (const [index, who] of ["another account", "a bare client"].entries()) {
      const [idle, busy] = [spreadOf(atRest[index] ?? []), spreadOf(beside[index] ?? [])];
      const ratio = (busy.p99 / idle.p99).toFixed(2);
      say(`${name}, ${who}: idle ${show(idle)}, beside the burst ${show(busy)}: p99 ratio ${ratio} (at most 1.2)`);
    }
  } finally {
    await Promise.all([bob.close(), raw.close()]);
    await gateway.stop();
    await server.stop();
  }
}

/** One after another, each begun so long after the one before, whatever that one took. */
async function paced(count: number, pauseMs: number, run: () => Promise<number>): Promise<number[]> {
  const startedMs = performance.now();
  const times: Promise<number>[] = [];
  for (let i = 0; i < count; i++) {
    await Bun.sleep(Math.max(0, startedMs + i * pauseMs - performance.now()));
    times.push(run());
  }
  return Promise.all(times);
}

async function post(gateway: Gateway, sender: string, body = "Server@host has just crashed!"): Promise<number> {
  const startedMs = performance.now();
  const response = await gateway.post("/msg/bob@example.com", body, { user: `${sender}@example.com:secret` });
  await response.arrayBuffer();
  if (response.status !== 201)
    throw new Error(`A message of ${body.length} characters was answered ${response.status}.`);
  return performance.now() - startedMs;
}

async function sendRaw(raw: Receiver): Promise<number> {
  const startedMs = performance.now();
  raw.send(
    `<message to="bob@example.com" type="chat" id="${crypto.randomUUID()}"><body>Server@host has just crashed!</body></message>`,
  );
  await raw.request("get", `<ping xmlns="urn:xmpp:ping"/>`, "example.com");
  return performance.now() - startedMs;
}

function show({ p50, p99 }: Spread): string {
  return `p50 ${showMs(p50)} p99 ${showMs(p99)} ms`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
