/**
 * Five times as much as a slow server takes: the real program in front of a scripted peer that is reached through a proxy
 * of few bytes a second, and callers who do not wait for one another.
 */

import { join } from "node:path";
import type { Answer } from "./callers-program.ts";
import { runToEnd } from "./child-process.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import { startBinary } from "./gateway.ts";
import { hostOf } from "./gateway-config.ts";
import { startPeer } from "./peer/peer.ts";
import { residentKiB } from "./process-figures.ts";

/** Of a stanza as it is here, in TLS, with its share of requests for acknowledgements. */
const bytesPerMessage = 300;
const lastAnswerMs = 40_000;
const sampleMs = 100;

export interface OverloadOptions {
  /** About so many messages a second pass. */
  readonly capacity: number;
  readonly seconds: number;
  /** Requests at one time. */
  readonly maxInFlight: number;
}

export interface Overload {
  /** To five times the capacity, in the order of the answers. */
  readonly replies: readonly Answer[];
  /** At half the capacity, before and after. */
  readonly before: readonly Answer[];
  readonly after: readonly Answer[];
  /** Messages that the peer has handled in all. */
  readonly delivered: number;
  /** Resident memory of the program at half the capacity, and the most during the overload. */
  readonly usualMiB: number;
  readonly mostMiB: number;
}

export async function runOverload({ capacity, seconds, maxInFlight }: OverloadOptions): Promise<Overload> {
  let delivered = 0;
  const peer = await startPeer({
    record: false,
    bounce: () => {
      delivered += 1;
      return undefined;
    },
  });
  const proxy = await startFaultProxy(peer, { bytesPerSecond: capacity * bytesPerMessage });
  const gateway = await startBinary({
    hosts: hostOf({ ...peer, port: proxy.port }, { grace: "0s" }),
    settings: { log: { level: "warn" }, http: { max_in_flight: maxInFlight } },
  });
  try {
    const { pid } = gateway.process;
    const before = await sendAtRate(gateway.port, capacity / 2, 2);
    const usualMiB = (await residentKiB(pid)) / 1024;
    let mostMiB = 0;
    const watch = setInterval(async () => {
      mostMiB = Math.max(mostMiB, (await residentKiB(pid)) / 1024);
    }, sampleMs);
    const replies = await sendAtRate(gateway.port, 5 * capacity, seconds);
    clearInterval(watch);
    const after = await sendAtRate(gateway.port, capacity / 2, 2);
    return { replies, before, after, delivered, usualMiB, mostMiB };
  } finally {
    await gateway.stop();
    await proxy.stop();
    await peer.stop();
  }
}

/** From a process of its own, whose clock the peer and the proxy do not hold up. */
async function sendAtRate(port: number, perSecond: number, seconds: number): Promise<Answer[]> {
  const program = join(import.meta.dir, "callers-program.ts");
  const command = [process.execPath, program, JSON.stringify({ port, perSecond, seconds })];
  return JSON.parse(await runToEnd(command, {}, seconds * 1_000 + lastAnswerMs));
}
