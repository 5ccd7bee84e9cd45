/** Memory at rest: just started, and with 1,000 sessions that nobody uses. */

import { startPeerProcess } from "../../support/peer-process.ts";
import type { Part } from "../options.ts";
import { startPostMsg } from "../program.ts";
import { logInAll } from "./log-in-all.ts";
import { withoutGrace } from "./sink.ts";

const sessions = 1_000;
const settleMs = 2_000;

export const idle: Part = {
  name: "idle",
  steps: ({ rounds }) => Math.min(rounds, 3),
  run: async ({ results, rounds, step }) => {
    const peer = await startPeerProcess(sessions, { mechanisms: ["PLAIN"] });
    const empty: number[] = [];
    const perSession: number[] = [];
    try {
      for (let round = 0; round < Math.min(rounds, 3); round++) {
        step(`memory with no session and with ${sessions}`);
        const settings = { log: { level: "warn" }, sessions: { max: sessions } };
        const gateway = await startPostMsg({ hosts: withoutGrace(peer.hosts), settings });
        await Bun.sleep(settleMs);
        const before = await gateway.residentMiB();
        await logInAll(gateway.url, sessions);
        await Bun.sleep(settleMs);
        empty.push(before);
        perSession.push((((await gateway.residentMiB()) - before) * 1_024) / sessions);
        await gateway.stop();
      }
    } finally {
      await peer.stop();
    }
    results.figure("Memory at rest", "just started", "", "MiB", empty);
    results.figure("Memory at rest", `for each of ${sessions} sessions`, "", "KiB", perSession);
    results.target("memory (RSS) after start, with no session", " MiB", { atMost: 75 }, empty);
  },
};
