/** Getting a lost connection back while somebody waits for an answer: at once, then with growing, jittered pauses. */

import { asFailure, Failure } from "../errors.ts";
import type { Link, Reconnection } from "../link.ts";

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** The bytes that every server has to take in one stanza (RFC 6120 section 13.12). */
export const alwaysTakenBytes = 10_000;

/** Whether the server ended the stream over the message that it had to handle next, which has so many bytes. */
export function isComplaint({ code }: Failure, bytes: number): boolean {
  return code === "stanza_complaint" || (code === "server_policy" && bytes > alwaysTakenBytes);
}

/**
 * Whether another connection may help: not where another session has taken this one's place, where the server's policy is
 * against us, or where the two do not understand each other.
 */
export function canRecover(reason: Failure, bytes = 0): boolean {
  if (isComplaint(reason, bytes)) return true;
  return (
    reason.temporary && !["session_replaced", "login_expired", "server_policy", "password_needed"].includes(reason.code)
  );
}

export interface RecoveryOptions {
  /** How many connections have come back since a message last got through; the first one is tried at once. */
  readonly fruitless: number;
  /** False: nobody waits any more. */
  needed(): boolean;
  /** Why it may not connect now. */
  pause(): Failure | undefined;
  readonly loginTimeoutMs: number;
  /** An attempt was in vain; another one follows. */
  onFailed(failure: Failure): void;
}

/** Rejects with a Failure when it is hopeless or not needed any more. */
export async function recover(
  link: Link,
  { fruitless, needed, pause, loginTimeoutMs, onFailed }: RecoveryOptions,
): Promise<Reconnection> {
  for (let attempt = fruitless; ; attempt++) {
    if (attempt > 0) await Bun.sleep(pauseBefore(attempt));
    if (!needed()) throw new Failure("stream_closed", "The connection is not needed any more.");
    const paused = pause();
    if (paused !== undefined) throw paused;
    try {
      return await reconnectWithin(link, loginTimeoutMs);
    } catch (error) {
      const failure = asFailure(error);
      if (!canRecover(failure) || !needed()) throw failure;
      onFailed(failure);
    }
  }
}

function pauseBefore(attempt: number): number {
  return Math.min(firstPauseMs * 2 ** (attempt - 1), longestPauseMs) * (0.5 + Math.random() / 2);
}

async function reconnectWithin(link: Link, timeoutMs: number): Promise<Reconnection> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new Failure("login_timeout", `The connection was not back within ${timeoutMs / 1000} s.`));
  }, timeoutMs);
  try {
    return await link.reconnect(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}
