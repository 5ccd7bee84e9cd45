/** Five times what a slow server takes: how soon what is too much is refused, and what it costs in memory. */

import { runOverload } from "../../support/overload.ts";
import type { Part } from "../options.ts";
import { spreadOf } from "../statistics.ts";

const capacity = 400;
const maxInFlight = 1_000;

export const overload: Part = {
  name: "overload",
  steps: () => 1,
  run: async ({ results, step, quick }) => {
    const seconds = quick ? 5 : 30;
    step(`overload for ${seconds} s`);
    const found = await runOverload({ capacity, seconds, maxInFlight });
    const timesOf = (status: number) =>
      spreadOf(found.replies.filter((reply) => reply.status === status).map(({ tookMs }) => tookMs));
    const after = spreadOf(found.after.map(({ tookMs }) => tookMs));
    const before = spreadOf(found.before.map(({ tookMs }) => tookMs));
    const part = `Overload: 5 × ${capacity} messages/s for ${seconds} s`;
    const others = found.replies.filter(({ status }) => status !== 201 && status !== 503).length;
    for (const [who, { count, p50, p99 }] of [
      ["at half the capacity, before", before],
      ["answered 201", timesOf(201)],
      ["refused (503)", timesOf(503)],
      ["at half the capacity, after", after],
    ] as const) {
      results.figure(part, who, "", "requests", [count]);
      results.figure(part, who, "", "p50, ms", [p50]);
      results.figure(part, who, "", "p99, ms", [p99]);
    }
    if (others > 0) results.note(`Overload: ${others} requests were answered neither 201 nor 503.`);
    results.target("overload: refused within, p99", " ms", { atMost: 100 }, [timesOf(503).p99]);
    results.target("overload: most memory / usual", " ×", { atMost: 2 }, [found.mostMiB / found.usualMiB]);
  },
};
