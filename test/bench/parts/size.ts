/** Bodies of 100 B to 64 KiB, in front of a server that only acknowledges, beside bare Elysia. */

import { join } from "node:path";
import { startPeerProcess } from "../../support/peer-process.ts";
import { measureInTurn, stepsInTurn, valuesOf } from "../compare.ts";
import { overHttp } from "../load/contenders.ts";
import type { Options, Part } from "../options.ts";
import { startPostMsg, startProgram } from "../program.ts";
import { withoutGrace } from "./sink.ts";

const sizes = [100, 1_024, 8_192, 65_536] as const;
const connections = 16;
const bareElysia = join(import.meta.dir, "../bare-elysia.ts");
const effort = (options: Options) => ({ rounds: Math.min(options.rounds, 3), seconds: Math.min(options.seconds, 2) });

export const size: Part = {
  name: "size",
  steps: (options) => sizes.length * stepsInTurn(2, effort(options)),
  run: async (bench) => {
    const { results } = bench;
    const peer = await startPeerProcess(1);
    const bare = await startProgram([process.execPath, bareElysia], / listens on (\S+)\n/);
    const hosts = withoutGrace(peer.hosts);
    const gateway = await startPostMsg({ hosts, settings: { log: { level: "warn" } } });
    try {
      for (const bytes of sizes) {
        const part = "Bodies of different size";
        const when = bytes < 1_024 ? `${bytes} B` : `${bytes / 1_024} KiB`;
        const samples = await measureInTurn(
          bench,
          `${part}, ${when}`,
          Object.entries({ "post-msg": gateway, "bare Elysia": bare }).map(([name, { url, pid }]) =>
            overHttp(name, {
              load: {
                url: `${url}/bob@example.com`,
                connections,
                users: "user0@example.com:secret",
                body: "0123456789".repeat(bytes / 10 + 1).slice(0, bytes),
              },
              processes: { [name]: pid },
            }),
          ),
          effort(bench),
        );
        for (const [who, ofOne] of samples) {
          results.figure(
            part,
            when,
            who,
            "CPU, µs",
            valuesOf(ofOne, ({ cpuUs }) => cpuUs),
          );
          results.figure(
            part,
            when,
            who,
            "requests/s",
            valuesOf(ofOne, ({ perSecond }) => perSecond),
          );
          results.figure(
            part,
            when,
            who,
            "p50, ms",
            valuesOf(ofOne, ({ p50Ms }) => p50Ms),
          );
        }
      }
    } finally {
      await Promise.all([bare.stop(), gateway.stop()]);
      await peer.stop();
    }
  },
};
