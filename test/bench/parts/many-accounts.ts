/** The same rate from 1, 10, 100 and 1,000 accounts, each with a session of its own. */

import { startPeerProcess } from "../../support/peer-process.ts";
import { measureInTurn, stepsInTurn, valuesOf } from "../compare.ts";
import { overHttp } from "../load/contenders.ts";
import type { Part } from "../options.ts";
import { type Program, startPostMsg } from "../program.ts";
import { ratios } from "../results.ts";
import { logInAll } from "./log-in-all.ts";
import { withoutGrace } from "./sink.ts";

const counts = [1, 10, 100, 1_000] as const;
const connections = 64;
/** Makes about 2,000 requests a second, which the sink takes with ease. */
const pauseMs = 30;

export const manyAccounts: Part = {
  name: "many-accounts",
  steps: (options) => stepsInTurn(counts.length, options) + counts.length,
  run: async (bench) => {
    const { results } = bench;
    const peer = await startPeerProcess(Math.max(...counts), { mechanisms: ["PLAIN"] });
    const gateways = new Map<number, Program>();
    try {
      for (const count of counts) {
        bench.step(`${count} accounts log in`);
        const settings = { log: { level: "warn" }, sessions: { max: 2_000 } };
        const gateway = await startPostMsg({ hosts: withoutGrace(peer.hosts), settings });
        gateways.set(count, gateway);
        await logInAll(gateway.url, count);
      }
      const part = "The same rate from many accounts";
      const samples = await measureInTurn(
        bench,
        part,
        [...gateways].map(([count, { url, pid }]) =>
          overHttp(String(count), {
            load: { url: `${url}/bob@example.com`, connections, pauseMs, users: usersOf(count) },
            processes: { [count]: pid },
          }),
        ),
        { ...bench, longWarmUp: true },
      );
      for (const [count, ofOne] of samples) {
        const when = count === "1" ? "1 account" : `${count} accounts`;
        results.figure(
          part,
          when,
          "",
          "CPU, µs",
          valuesOf(ofOne, ({ cpuUs }) => cpuUs),
        );
        results.figure(
          part,
          when,
          "",
          "requests/s",
          valuesOf(ofOne, ({ perSecond }) => perSecond),
        );
        results.figure(
          part,
          when,
          "",
          "p50, ms",
          valuesOf(ofOne, ({ p50Ms }) => p50Ms),
        );
        results.figure(
          part,
          when,
          "",
          "p99, ms",
          valuesOf(ofOne, ({ p99Ms }) => p99Ms),
        );
      }
      const cost = (count: number) => valuesOf(samples.get(String(count)), ({ cpuUs }) => cpuUs);
      const name = "CPU for each request, 1,000 accounts / 1 account";
      results.target(name, " ×", { atMost: 1.3 }, ratios(cost(1_000), cost(1)));
    } finally {
      await Promise.all([...gateways.values()].map((gateway) => gateway.stop()));
      await peer.stop();
    }
  },
};

function usersOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user${index}@example.com:secret`);
}
