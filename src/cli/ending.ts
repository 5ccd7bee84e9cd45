/**
 * Why and when `serve` ends: the first signal or unforeseen fault asks for it, a second signal ends the process at once,
 * and a drain that takes too long is given up.
 */

import type { Log } from "../log.ts";
import { exitCodes, exitCodesOfSignals, type Process } from "./process.ts";

export interface Ending {
  /** Resolves to the exit code once the program shall stop. */
  readonly requested: Promise<number>;
  /** Resolves to the exit code when the program should have stopped by now. */
  readonly overdue: Promise<number>;
  /** Removes the listeners and the timer. */
  release(): void;
}

export function watchForEnding(process: Process, log: Log, deadlineMs: number): Ending {
  const requested = Promise.withResolvers<number>();
  const overdue = Promise.withResolvers<number>();
  let exitCode: number | undefined;
  let signalled = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const end = (code: number) => {
    exitCode = code;
    requested.resolve(code);
    timer = setTimeout(() => {
      log.error({ deadlineMs }, "The drain is not done at its deadline; what is still open is cut off.");
      overdue.resolve(code === exitCodes.good ? exitCodes.notDrained : code);
    }, deadlineMs);
  };

  const ignoreSignals = process.onSignal((signal) => {
    if (signalled) return process.exit(exitCodesOfSignals[signal]);
    signalled = true;
    if (exitCode !== undefined) return;
    log.info({ signal }, "Stopping: no new requests are taken, those in flight are finished.");
    end(exitCodes.good);
  });
  const ignoreFaults = process.onFault((fault) => {
    log.error({ err: fault }, "An unforeseen fault in post-msg; it finishes what is in flight and ends.");
    if (exitCode === undefined) end(exitCodes.fault);
  });

  return {
    requested: requested.promise,
    overdue: overdue.promise,
    release() {
      clearTimeout(timer);
      ignoreSignals();
      ignoreFaults();
    },
  };
}
