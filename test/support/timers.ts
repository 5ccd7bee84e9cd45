/**
 * Counts the timers that are set and neither cleared nor, unless they repeat, run out. One that keeps no process from
 * ending (`unref`) looks after what is kept on purpose.
 */

export interface TimerCount extends Disposable {
  readonly pending: number;
}

/** Counts those of the source and the tests, not the runtime's own, from now on until it is disposed of. */
export function countTimers(): TimerCount {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval };
  const pending = new Set<Timer | undefined>();
  const clear = (clearReal: (timer?: Timer) => void) => (timer?: Timer) => {
    pending.delete(timer);
    clearReal(timer);
  };
  Object.assign(globalThis, {
    setTimeout: (run: (...parameters: unknown[]) => void, afterMs?: number, ...parameters: unknown[]) => {
      const timer = real.setTimeout(
        (...passed: unknown[]) => {
          pending.delete(timer);
          run(...passed);
        },
        afterMs,
        ...parameters,
      );
      pending.add(timer);
      return timer;
    },
    setInterval: (...parameters: Parameters<typeof setInterval>) => {
      const timer = real.setInterval(...parameters);
      pending.add(timer);
      return timer;
    },
    clearTimeout: clear(real.clearTimeout),
    clearInterval: clear(real.clearInterval),
  });
  return {
    get pending() {
      return [...pending].filter((timer) => timer?.hasRef()).length;
    },
    [Symbol.dispose]: () => void Object.assign(globalThis, real),
  };
}
