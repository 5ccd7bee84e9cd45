/**
 * Steady traffic of several senders to one online receiver, each message numbered, and what became of it: what every
 * caller was told against what the receiver's client saw.
 */

import { type LaneReply, sendTraffic } from "./http-lanes.ts";
import type { ReceivedMessage, Receiver } from "./receiver.ts";
import { eventually, makeBell } from "./wait.ts";

export interface TrafficReport {
  readonly sent: number;
  /** How often each status, with its code, was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** 201s whose message has not arrived. */
  readonly lost: readonly string[];
  /** Messages that have arrived more than once. */
  readonly repeated: readonly string[];
  /** Of one sender, a message that arrived after a later one. */
  readonly inverted: readonly string[];
}

export interface AccountTraffic {
  /** Resolves when each sender has had so many more answers. */
  progress(count: number, deadlineMs?: number): Promise<void>;
  /** Sends no more, waits for the answers and for what is still to arrive. */
  finish(receiver: Receiver): Promise<TrafficReport>;
}

export interface AccountTrafficOptions {
  readonly port: number;
  /** user-id:password of each sender. */
  readonly senders: readonly string[];
  /** Requests under way at a time, of each sender. */
  readonly lanes: number;
  /** Of each sender; default: until `finish`. */
  readonly count?: number;
  /** Milliseconds between two requests of a lane; default 0. */
  readonly pauseMs?: number;
}

const recipient = "bob@example.com";

/** The senders begin at once, and go on until `finish` or their count. */
export function startTraffic(options: AccountTrafficOptions): AccountTraffic {
  const { port, senders, lanes, count = Number.POSITIVE_INFINITY, pauseMs = 0 } = options;
  const replies: LaneReply[] = [];
  const counts = senders.map(() => 0);
  const bell = makeBell();
  let finishing = false;
  const running = senders.map((user, sender) =>
    sendTraffic({
      port,
      lanes,
      get count() {
        return finishing ? 0 : count;
      },
      body: (number) => `${sender} ${number}`,
      request: () => ({ user, path: `/msg/${recipient}` }),
      answered: async (_number, reply) => {
        replies.push(reply);
        counts[sender] = (counts[sender] ?? 0) + 1;
        bell.ring();
        if (pauseMs > 0) await Bun.sleep(pauseMs);
      },
    }),
  );
  const ended = Promise.all(running);
  // Who finishes, hears of it.
  ended.catch(() => {});
  return {
    progress: async (more, deadlineMs = 20_000) => {
      const goals = counts.map((count) => count + more);
      const reached = () => counts.every((count, sender) => count >= (goals[sender] ?? 0));
      await Promise.race([bell.until(reached, deadlineMs, `${more} more answers for each sender`), ended]);
    },
    finish: async (receiver) => {
      finishing = count === Number.POSITIVE_INFINITY;
      await ended;
      const ids = replies.filter(({ status }) => status === 201).map(({ json }) => idOf(json));
      const lost = () => {
        const arrived = new Set(receiver.waiting.map(({ id }) => id));
        return ids.filter((id) => !arrived.has(id));
      };
      // What does not come within this time is reported as lost.
      await eventually(() => lost().length === 0, 10_000).catch(() => {});
      return {
        sent: replies.length,
        statuses: countStatuses(replies),
        lost: lost(),
        repeated: findRepeated(receiver.waiting),
        inverted: findInverted(receiver.waiting),
      };
    },
  };
}

export function idOf(json: unknown): string {
  return typeof json === "object" && json !== null && "id" in json ? String(json.id) : "";
}

export function codeOf(json: unknown): string {
  return typeof json === "object" && json !== null && "code" in json ? String(json.code) : "";
}

export function countStatuses(replies: readonly LaneReply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, json } of replies) {
    const name = `${status} ${codeOf(json)}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function findRepeated(messages: readonly ReceivedMessage[]): readonly string[] {
  const seen = new Set<string | undefined>();
  return messages.flatMap(({ id, body = "" }) => {
    if (seen.has(id)) return [body];
    seen.add(id);
    return [];
  });
}

/** By the sender and number in the text, so that it does not matter under which session a message came. */
function findInverted(messages: readonly ReceivedMessage[]): readonly string[] {
  const latest = new Map<number, number>();
  return messages.flatMap(({ body = "" }) => {
    const [sender = 0, number = 0] = body.split(" ").map(Number);
    const before = latest.get(sender) ?? -1;
    latest.set(sender, Math.max(before, number));
    return number < before ? [`${body} after ${before}`] : [];
  });
}
