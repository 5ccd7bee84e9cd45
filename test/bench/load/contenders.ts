/** Who is measured: something that answers HTTP, under wrk, or the raw XMPP client. */

import { join } from "node:path";
import { runToEnd } from "../../support/child-process.ts";
import { cpuMs } from "../../support/process-figures.ts";
import type { RealServer } from "../../support/real-server.ts";
import type { Contender, Sample } from "../compare.ts";
import type { Recipient } from "./recipient.ts";
import { type Load, runWrk } from "./wrk.ts";

export const usualBody = "Server@host has just crashed!";
export const usualUser = "alice@example.com:secret";

const lookMs = 100;
const mostLooks = 50;

export interface HttpOptions {
  readonly load: Partial<Load> & Pick<Load, "url" | "connections">;
  /** Whose CPU time is told, by name. The first one is the contender itself. */
  readonly processes: Readonly<Record<string, number>>;
  /** Has to get as many messages as were answered with success. */
  readonly recipient?: Recipient;
}

export function overHttp(name: string, { load, processes, recipient }: HttpOptions): Contender {
  return {
    name,
    run: async (seconds) => {
      const before = await cpuOf(processes);
      const startedMs = performance.now();
      const result = await runWrk({ seconds, body: usualBody, contentType: "text/plain", users: usualUser, ...load });
      const after = await cpuOf(processes);
      const lasted = (performance.now() - startedMs) / 1_000;
      await recipient?.expect(result.requests);
      await settle(processes);
      return {
        perSecond: result.requests / result.seconds,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        cores: coresOf(before, after, lasted),
        cpuUs: (((after[0]?.ms ?? 0) - (before[0]?.ms ?? 0)) * 1_000) / result.requests,
      };
    },
  };
}

export interface RawOptions {
  readonly server: RealServer;
  readonly jid: string;
  readonly outstanding: number;
  readonly recipient: Recipient;
}

export function rawClient(name: string, { server, jid, outstanding, recipient }: RawOptions): Contender {
  return {
    name,
    run: async (seconds) => {
      const { c2sPort: port, caFile, pid, kind } = server;
      const wanted = JSON.stringify({ port, caFile, jid, outstanding, seconds, serverPid: pid });
      const output = await runToEnd([process.execPath, join(import.meta.dir, "raw-sender.ts"), wanted]);
      const { sent, ownCores, serverCores, ...figures }: RawResult = JSON.parse(output);
      await recipient.expect(sent);
      const cores = { [name]: ownCores, [kind]: serverCores };
      return { ...figures, cores, cpuUs: (ownCores * 1e6) / figures.perSecond };
    },
  };
}

interface RawResult extends Omit<Sample, "cores" | "cpuUs"> {
  readonly sent: number;
  readonly ownCores: number;
  readonly serverCores: number;
}

/** What a contender has left undone when the load ended must not be done at the cost of the next one. */
async function settle(processes: Readonly<Record<string, number>>): Promise<void> {
  for (let time = 0; time < mostLooks; time++) {
    const before = await cpuOf(processes);
    await Bun.sleep(lookMs);
    const after = await cpuOf(processes);
    if (after.every(({ ms }, index) => ms - (before[index]?.ms ?? 0) <= lookMs / 5)) return;
  }
}

type CpuTimes = readonly { readonly name: string; readonly ms: number }[];

function cpuOf(processes: Readonly<Record<string, number>>): Promise<CpuTimes> {
  return Promise.all(Object.entries(processes).map(async ([name, pid]) => ({ name, ms: await cpuMs(pid) })));
}

function coresOf(before: CpuTimes, after: CpuTimes, seconds: number): Record<string, number> {
  return Object.fromEntries(
    after.map(({ name, ms }, index) => [name, (ms - (before[index]?.ms ?? 0)) / 1_000 / seconds]),
  );
}
