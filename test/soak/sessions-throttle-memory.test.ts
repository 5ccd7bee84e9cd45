/** However many addresses and accounts come with wrong passwords, what is kept of them stays small. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { runToEnd } from "../support/child-process.ts";
import { sized } from "../support/soak.ts";

const keys = sized(1_000_000, 60_000);
const mostMiB = 64;

test(`the throttle's tables stay under ${mostMiB} MiB after ${keys} addresses and accounts`, async () => {
  const program = join(import.meta.dir, "../bench/throttle-memory.ts");
  const { heapMiB }: { heapMiB: number } = JSON.parse(await runToEnd([process.execPath, program, String(keys)]));
  expect(heapMiB).toBeGreaterThan(1);
  expect(heapMiB).toBeLessThan(mostMiB);
}, 60_000);
