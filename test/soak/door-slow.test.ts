/** Slow callers: those who mean harm are cut, an honest device is served, and nobody else notices either of them. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { type Spread, showMs, spreadOf } from "../bench/statistics.ts";
import { startChild } from "../support/child-process.ts";
import { type Binary, startBinary } from "../support/gateway.ts";
import { type Prosody, startProsody } from "../support/prosody.ts";
import { hostsOf, startBob, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { allowed, isSoak, sized } from "../support/soak.ts";
import { startLoad } from "../support/steady-load.ts";
import { eventually } from "../support/wait.ts";

const credentials = `Authorization: Basic ${btoa("alice@example.com:secret")}`;
const head = ["POST /msg/bob@example.com HTTP/1.1", "Host: gw", credentials];

let server: Prosody;
let bob: Receiver;
let gateway: Binary;
/** Beside it, and left alone: how a good caller fares there at the same time tells the machine's share from the attack's. */
let calm: Binary;
beforeAll(async () => {
  server = await startProsody({ accounts: { "alice@example.com": "secret", "bob@example.com": "secret" } });
  bob = await startBob(server);
  const hosts = hostsOf(server);
  [gateway, calm] = await Promise.all([startBinary({ hosts }), startBinary({ hosts })]);
}, startTimeoutMs);
afterAll(async () => {
  await Promise.all([gateway?.stop(), calm?.stop()]);
  await bob?.close();
  await server?.stop();
}, startTimeoutMs);

interface Drip {
  /** What came back until the connection was closed. */
  readonly received: string;
  readonly tookMs: number;
}

/** Sends `start`, then `piece` at every interval until the connection is closed, or `count` pieces have gone. */
async function drip(start: string, piece: string, intervalMs: number, count = Number.POSITIVE_INFINITY): Promise<Drip> {
  const begunMs = performance.now();
  const socket: Socket = connect(gateway.port, "127.0.0.1");
  let received = "";
  let sent = 0;
  socket.on("data", (data) => {
    received += data;
  });
  socket.on("error", () => {}); // A reset is one way to cut.
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(start);
  const timer = setInterval(() => {
    if (sent++ < count) socket.write(piece);
    else clearInterval(timer);
  }, intervalMs);
  await closed.finally(() => clearInterval(timer));
  return { received, tookMs: performance.now() - begunMs };
}

function request(lines: readonly string[]): string {
  return `${[...head, "Connection: close", ...lines].join("\r\n")}\r\n\r\n`;
}

// An honest device, at 200 bytes a second.
const pieceMs = sized(1_000, 50);
test(`a device that sends 4 KiB as 200 bytes every ${pieceMs} ms is served, with 100-continue too`, async () => {
  const lines = ["Content-Length: 4200"];
  const [plain, careful] = await Promise.all([
    drip(request(lines), "x".repeat(200), pieceMs, 21),
    drip(request([...lines, "Expect: 100-continue"]), "x".repeat(200), pieceMs, 21),
  ]);
  expect(plain.received).toStartWith("HTTP/1.1 201 ");
  expect(careful.received).toStartWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ");
}, 60_000);

// The limits of the program are what they are, so this takes its time.
if (isSoak) {
  test.skipIf(!isSoak)(
    "who drips headers, a body or a body that was refused already is cut within a minute",
    async () => {
      const [headers, nothing, body, refused] = await Promise.all([
        drip(`${head.join("\r\n")}\r\n`, "X: y\r\n", 5_000),
        drip("", "", 60_000),
        drip(request(["Content-Length: 4096"]), "x", 5_000),
        drip("POST /msg/bob HTTP/1.1\r\nHost: gw\r\nContent-Length: 4096\r\n\r\n", "x", 5_000),
      ]);
      const took = { headers, nothing, body, refused };
      for (const [name, { tookMs }] of Object.entries(took)) process.stdout.write(`${name}: cut after ${tookMs} ms\n`);
      expect(Object.entries(took).filter(([, { tookMs }]) => tookMs > 60_000)).toEqual([]);
      expect(headers.received).toBe("");
      expect(body.received).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"upload_too_slow"/);
      expect(refused.received).toStartWith("HTTP/1.1 401 ");
    },
    120_000,
  );
}

const connections = sized(500, 100);
const seconds = sized(300, 4);
const perSecond = 20;
test.each([
  ["headers", ["-H"]],
  ["bodies", ["-B", "-s", "8192", "-f", "text/plain"]],
] as const)(
  `${connections} connections of slowhttptest with slow %s leave a good caller alone`,
  async (what, mode) => {
    const idle = await measure(gateway, sized(60, 2));
    const attack = startAttack(mode);
    let busy: Spread;
    let beside: Spread;
    try {
      const attacked = async () => (await countFiles(gateway.process.pid)) > connections * 0.9;
      await eventually(attacked, 20_000, "slowhttptest to have its connections");
      [busy, beside] = await Promise.all([measure(gateway, seconds), measure(calm, seconds)]);
    } finally {
      await attack.stop();
    }
    const p99 = `p99 ${showMs(idle.p99)} ms before, ${showMs(busy.p99)} ms under attack, ${showMs(beside.p99)} ms beside it`;
    process.stdout.write(`slow ${what}: ${connections} connections for ${seconds} s; ${p99}\n`);
    if (isSoak) expect(busy.p99).toBeLessThanOrEqual(2 * Math.max(idle.p99, beside.p99));
  },
  allowed(600_000, 60_000),
);

/** slowhttptest, started again whenever all of its connections were cut. */
function startAttack(mode: readonly string[]) {
  const url = `http://127.0.0.1:${gateway.port}/msg/bob@example.com`;
  // Through the cookie, since it has no option for credentials: without, a body would be refused at once.
  const login = `a=b\r\n${credentials}`;
  const amount = ["-c", `${connections}`, "-r", `${connections}`, "-i", "5", "-x", "24"];
  const command = ["slowhttptest", ...mode, ...amount, "-l", `${seconds + 60}`, "-t", "POST", "-u", url, "-j", login];
  let stopped = false;
  let child = startChild(command);
  const running = (async () => {
    while (!stopped) {
      await child.exited;
      if (!stopped) child = startChild(command);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await child.terminate();
      await running;
    },
  };
}

/** What a process has open, its connections included. */
async function countFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** A good caller's latencies over some seconds; none of its requests may fail. */
async function measure({ port }: Binary, forSeconds: number): Promise<Spread> {
  const load = startLoad({ port, perSecond });
  await Bun.sleep(forSeconds * 1_000);
  const { failures, latenciesMs } = await load.stop();
  expect(failures.slice(0, 5)).toEqual([]);
  return spreadOf(latenciesMs);
}
