/** When a refused login is answered: at a time that tells nothing about the reason. */

/**
 * Refusals that are due within so many milliseconds leave in one turn of the event loop. Otherwise the next logins, which the
 * first of them sets off, put the others off by a millisecond or three, and answers from memory do not.
 */
const togetherMs = 10;

/** Resolves just after a multiple of `gridMs` from `startedMs` on; at once where that is 0. */
export async function untilGrid(startedMs: number, gridMs: number): Promise<void> {
  if (gridMs === 0) return;
  const nowMs = performance.now();
  const dueMs = startedMs + Math.ceil((nowMs - startedMs) / gridMs) * gridMs;
  // Until the next moment at which all that was due before it leaves.
  await Bun.sleep(Math.ceil(dueMs / togetherMs) * togetherMs - nowMs);
}
