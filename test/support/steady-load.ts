/**
 * Callers that send messages at a steady rate, whatever becomes of them: half of the requests over connections of their
 * own, half over connections that are kept, as proxies and scripts do it.
 */

import { type Lane, openLane } from "./http-lanes.ts";
import { within } from "./wait.ts";

export interface LoadOptions {
  readonly port: number;
  readonly perSecond: number;
  /** For HTTPS: whose certificates are believed. */
  readonly ca?: string;
  readonly path?: string;
}

export interface LoadReport {
  readonly sent: number;
  /** What was not a 201, in words. */
  readonly failures: readonly string[];
  readonly latenciesMs: readonly number[];
}

export interface Load {
  readonly sent: number;
  /** Sends no more, waits for the answers that are owed, and tells how it went. */
  stop(): Promise<LoadReport>;
}

const tickMs = 5;
const answerMs = 30_000;

export function startLoad({ port, perSecond, ca, path }: LoadOptions): Load {
  const startedMs = performance.now();
  const kept: Lane[] = [];
  const failures: string[] = [];
  const latenciesMs: number[] = [];
  const owed = new Set<Promise<void>>();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) / 1000) * perSecond;
    while (sent < due) {
      const request = send(sent++).catch((error) => void failures.push(String(error)));
      owed.add(request);
      void request.finally(() => owed.delete(request));
    }
  }, tickMs);

  async function send(number: number): Promise<void> {
    const keep = number % 2 === 0;
    const begunMs = performance.now();
    const lane = (keep ? takeKept() : undefined) ?? (await openLane(port, ca));
    const headers: Record<string, string> = keep ? {} : { Connection: "close" };
    try {
      const reply = await lane.post(`load ${number}`, { headers, ...(path === undefined ? {} : { path }) });
      latenciesMs.push(performance.now() - begunMs);
      if (reply.status !== 201) failures.push(`${reply.status} ${JSON.stringify(reply.json)}`);
      if (keep && reply.headers["connection"] !== "close") kept.push(lane);
      else lane.close();
    } catch (error) {
      lane.close();
      throw error;
    }
  }

  function takeKept(): Lane | undefined {
    for (;;) {
      const lane = kept.pop();
      if (lane === undefined || lane.open) return lane;
    }
  }

  return {
    get sent() {
      return sent;
    },
    async stop() {
      clearInterval(timer);
      await within(answerMs, "the answers that are owed", Promise.all(owed));
      for (const lane of kept) lane.close();
      return { sent, failures, latenciesMs };
    },
  };
}
