/** From exec to ready, and to the end of `--version`, of the executable. */

import { runToEnd } from "../../support/child-process.ts";
import type { Part } from "../options.ts";
import { binary, startPostMsg } from "../program.ts";

const times = 4;
const hosts = { "example.com": { connect: "xmpp://127.0.0.1:5222" } };

export const startUp: Part = {
  name: "start-up",
  steps: ({ rounds }) => rounds,
  run: async ({ results, rounds, step }) => {
    const ready: number[] = [];
    const version: number[] = [];
    for (let round = 0; round < rounds; round++) {
      step("start");
      for (let time = 0; time < times; time++) {
        const gateway = await startPostMsg({ hosts });
        ready.push(gateway.readyMs);
        await gateway.stop();
        const startedMs = performance.now();
        await runToEnd([binary, "--version"]);
        version.push(performance.now() - startedMs);
      }
    }
    results.figure("Start", "exec to ready", "", "ms", ready);
    results.figure("Start", "--version", "", "ms", version);
    results.target("exec to ready", " ms", { atMost: 200 }, ready);
    results.target("--version", " ms", { atMost: 60 }, version);
  },
};
