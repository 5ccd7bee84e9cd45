/**
 * What the throttle's tables keep after many failures: `throttle-memory.ts KEYS FAILURES` lets each of KEYS addresses and
 * accounts fail FAILURES times and prints `{ "heapMiB", "residentMiB" }`. A process of its own, because memory that was
 * used before says nothing.
 */

import { heapStats } from "bun:jsc";
import { digestOf } from "../../src/session/credential.ts";
import { Throttle } from "../../src/session/throttle.ts";
import { jid } from "../support/jid.ts";

const keys = Number(process.argv[2] ?? 1_000_000);
const failures = Number(process.argv[3] ?? 1);
const mebi = 1024 * 1024;

let nowMs = 0;
const throttle = new Throttle(
  {
    rememberFailureMs: 300_000,
    failureDelayMs: 300,
    addressPerMinute: 10,
    addressPerDay: 50,
    accountPerHour: 100,
    serverFailures: 8,
    serverFailuresBurst: 4,
  },
  () => nowMs,
);

const before = await used();
for (let key = 0; key < keys; key++) {
  const account = jid(`user${key}@example.com`);
  const address = `2001:db8:${(key >> 16).toString(16)}:${(key & 0xffff).toString(16)}::/64`;
  for (let failure = 0; failure < failures; failure++) {
    nowMs += 0.01;
    throttle.failed(account, digestOf({ account, password: `guess ${failure}` }), address);
  }
  throttle.succeeded(account, digestOf({ account, password: "right" }), address);
}
const after = await used();
const grown = { heapMiB: after.heapMiB - before.heapMiB, residentMiB: after.residentMiB - before.residentMiB };
process.stdout.write(`${JSON.stringify(grown)}\n`);
// Still in use: it is what is measured.
if (throttle.check(jid("user0@example.com"), "2001:db8:0:0::/64") !== undefined) process.exitCode = 1;

/** One collection may leave what the stack still seems to point at. */
async function used(): Promise<{ heapMiB: number; residentMiB: number }> {
  for (let nth = 0; nth < 3; nth++) {
    Bun.gc(true);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapSize, extraMemorySize } = heapStats();
  return {
    heapMiB: Math.round((heapSize + extraMemorySize) / mebi),
    residentMiB: Math.round(process.memoryUsage.rss() / mebi),
  };
}
