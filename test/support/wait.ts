/** Waiting with a deadline: for a promise, for something that rings a bell, or, where nothing does, by asking again. */

const pollIntervalMs = 10;

/** Rung by whoever changes something that others wait for. */
export interface Bell {
  ring(): void;
  /** Asks `check` now and after each ring, until it returns something other than undefined or false. */
  until<T>(check: () => T, deadlineMs: number, what: string): Promise<Exclude<T, undefined | false>>;
}

export function makeBell(): Bell {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => {
      rung.resolve();
      rung = Promise.withResolvers();
    },
    until: async (check, deadlineMs, what) => {
      const endsAt = performance.now() + deadlineMs;
      for (;;) {
        const value = check();
        if (isPresent(value)) return value;
        await within(Math.max(0, endsAt - performance.now()), what, rung.promise);
      }
    },
  };
}

/** The promise's value, or a rejection that names `what` was awaited. The loser of the race is left to its owner. */
export async function within<T>(deadlineMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${deadlineMs} ms in vain for ${what}.`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks `check` until it returns something other than undefined or false. Only for what gives no sign of itself, such as
 * a port of another process or the size of the heap.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  deadlineMs = 5000,
  what = "a condition",
): Promise<Exclude<T, undefined | false>> {
  const endsAt = performance.now() + deadlineMs;
  for (;;) {
    const value = await check();
    if (isPresent(value)) return value;
    if (performance.now() > endsAt) throw new Error(`Waited ${deadlineMs} ms in vain for ${what}.`);
    await Bun.sleep(pollIntervalMs);
  }
}

function isPresent<T>(value: T): value is Exclude<T, undefined | false> {
  return value !== undefined && value !== false;
}
