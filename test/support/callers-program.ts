/**
 * Callers who do not wait for one another, as a program of its own: `callers-program.ts '{"port", "perSecond", "seconds"}'`
 * posts at that rate whatever has been answered by then, and prints what each was answered, as JSON.
 */

import { type Lane, openLane } from "./http-lanes.ts";

export interface Answer {
  readonly status: number;
  /** Of the problem, where it is one. */
  readonly code: string | undefined;
  readonly outcome: string | undefined;
  readonly retryAfter: string | undefined;
  readonly tookMs: number;
}

const tickMs = 5;

const { port, perSecond, seconds }: Record<"port" | "perSecond" | "seconds", number> = JSON.parse(
  process.argv[2] ?? "",
);
const free: Lane[] = [];
const lanes: Lane[] = [];
const answers: Answer[] = [];
const sent: Promise<void>[] = [];
const startedMs = performance.now();
for (let passedMs = 0; passedMs < seconds * 1_000; passedMs = performance.now() - startedMs) {
  while (sent.length < (passedMs / 1_000) * perSecond) sent.push(send());
  await Bun.sleep(tickMs);
}
await Promise.all(sent);
for (const lane of lanes) lane.close();
await Bun.write(Bun.stdout, JSON.stringify(answers));

async function send(): Promise<void> {
  const lane = free.pop() ?? (await open());
  const { status, headers, json, tookMs } = await lane.post("Server@host has just crashed!");
  const { code, outcome }: Record<string, string | undefined> = { ...Object(json) };
  answers.push({ status, code, outcome, retryAfter: headers["retry-after"], tookMs });
  free.push(lane);
}

async function open(): Promise<Lane> {
  const lane = await openLane(port);
  lanes.push(lane);
  return lane;
}
