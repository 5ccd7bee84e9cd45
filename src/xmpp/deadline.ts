/** How src/xmpp waits: with a time limit, and no longer than the caller cares. Nothing is left behind by a wait. */

import { Failure } from "../errors.ts";

/** One step of a login, under its own limit. Rejects with `login_timeout`, or with the signal's reason. */
export function step<T>(
  what: string,
  domain: string,
  timeoutMs: number,
  signal: AbortSignal,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () =>
    new Failure(
      "login_timeout",
      `The login at the XMPP server of "${domain}" was given up: ${what} was not done within ${timeoutMs} ms.`,
    );
  return withTimeLimit(timeoutMs, signal, late, work);
}

/**
 * Runs `work`. Rejects with `late()` after `timeoutMs`, and with the signal's reason once it aborts; in both cases
 * `work`'s own signal aborts, and what `work` does afterwards is ignored.
 */
export async function withTimeLimit<T>(
  timeoutMs: number,
  signal: AbortSignal,
  late: () => Error,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late()), timeoutMs);
  const abort = () => limit.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await withAbort<T>(limit.signal, (resolve, reject) => {
      work(limit.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** As `new Promise`, but rejects with the signal's reason when it aborts first. */
export async function withAbort<T = unknown>(
  signal: AbortSignal,
  run: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = () => reject(signal.reason);
  // Registered before `run`, so that the reason wins over what an aborted `run` says.
  signal.addEventListener("abort", abort, { once: true });
  try {
    run(resolve, reject);
    return await promise;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
