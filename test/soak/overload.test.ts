/** Overload is answered at once, kept out of memory, and over when it is over. */

import { expect, test } from "bun:test";
import type { Answer } from "../support/callers-program.ts";
import { runOverload } from "../support/overload.ts";
import { allowed, isSoak, sized } from "../support/soak.ts";

const seconds = sized(60, 4);
const capacity = sized(400, 150);
const maxInFlight = sized(1_000, 200);
/** Of a refusal, on a machine that does nothing else. */
const atOnceMs = 100;

test(
  `five times what the server takes, for ${seconds} s: what is too much is refused, nothing is lost, and then all is well`,
  async () => {
    const { replies, before, after, delivered, usualMiB, mostMiB } = await runOverload({
      capacity,
      seconds,
      maxInFlight,
    });
    const statuses = countStatuses(replies);
    expect(Object.keys(statuses).sort()).toEqual(["201", "503"]);
    // Some 80 % are too many, and some of those fill the queue first.
    expect(statuses["503"]).toBeGreaterThan(replies.length / 2);
    const refused = replies.filter(({ status }) => status === 503);
    for (const { code, outcome, retryAfter } of refused) {
      expect([code, outcome]).toEqual(["overloaded", "not_sent"]);
      expect(Number(retryAfter)).toBeGreaterThan(0);
    }
    const taken = [...before, ...replies, ...after].filter(({ status }) => status === 201);
    expect(delivered).toBe(taken.length);
    expect(countStatuses(before)).toEqual({ "201": before.length });
    expect(countStatuses(after)).toEqual({ "201": after.length });
    expect(mostMiB).toBeLessThan(2 * usualMiB);
    if (isSoak) {
      const times = refused.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
      expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(atOnceMs);
    }
  },
  allowed(240_000, 60_000),
);

function countStatuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
