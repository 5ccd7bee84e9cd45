/** What a message costs us: CPU time for each request, in front of a server that only acknowledges, beside bare Elysia. */

import { join } from "node:path";
import { startPeerProcess } from "../../support/peer-process.ts";
import { measureInTurn, stepsInTurn, valuesOf } from "../compare.ts";
import { overHttp } from "../load/contenders.ts";
import type { Part } from "../options.ts";
import { knowsSetting, startPostMsg, startProgram } from "../program.ts";
import { ratios } from "../results.ts";
import { withoutGrace } from "./sink.ts";

const connections = 64;
const bareElysia = join(import.meta.dir, "../bare-elysia.ts");

export const ownCost: Part = {
  name: "own-cost",
  steps: (options) => stepsInTurn(3, options),
  run: async (bench) => {
    const { results } = bench;
    const peer = await startPeerProcess(1);
    const hosts = withoutGrace(peer.hosts);
    const bare = await startProgram([process.execPath, bareElysia], / listens on (\S+)\n/);
    const quiet = await startPostMsg({ hosts, settings: { log: { level: "warn" } } });
    const withMetrics = await knowsSetting("metrics", "listen");
    if (!withMetrics) results.note("There are no metrics to be switched on yet.");
    const metrics = withMetrics ? { metrics: { listen: "127.0.0.1:0" } } : {};
    const watched = await startPostMsg({ hosts, settings: { log: { level: "info" }, ...metrics } });
    try {
      const contenders = { "bare Elysia": bare, "log warn, metrics off": quiet, "log info, metrics on": watched };
      const part = "CPU of post-msg for each request";
      const samples = await measureInTurn(
        bench,
        part,
        Object.entries(contenders).map(([name, { url, pid }]) =>
          overHttp(name, {
            load: { url: `${url}/bob@example.com`, connections, users: "user0@example.com:secret" },
            processes: { [name]: pid },
          }),
        ),
        { ...bench, longWarmUp: true },
      );
      const cost = (who: string) => valuesOf(samples.get(who), ({ cpuUs }) => cpuUs);
      for (const [who, ofOne] of samples) {
        results.figure(part, `${connections} connections`, who, "CPU, µs", cost(who));
        results.figure(
          part,
          `${connections} connections`,
          who,
          "requests/s",
          valuesOf(ofOne, ({ perSecond }) => perSecond),
        );
      }
      const beside = (who: string) => ratios(cost(who), cost("bare Elysia"));
      const name = (who: string) => `CPU for each request, ${who} / bare Elysia`;
      for (const [who, atMost] of [
        ["log warn, metrics off", 1.6],
        ["log info, metrics on", 2.5],
      ] as const) {
        results.target(name(who), " ×", { atMost }, beside(who));
      }
    } finally {
      await Promise.all([bare.stop(), quiet.stop(), watched.stop()]);
      await peer.stop();
    }
  },
};
