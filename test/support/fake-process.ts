/** Processes for the commands, in place of the one that main.ts has: they keep what is written, and end nothing. */

import type { Process, Signal } from "../../src/cli/process.ts";

function refuse(): never {
  throw new Error("No more of the process is needed.");
}

/** Fails whoever does anything with it. */
export const unusedProcess: Process = {
  writeOutput: refuse,
  writeError: refuse,
  onSignal: refuse,
  onReload: refuse,
  onFault: refuse,
  exit: refuse,
};

/** One that only writes: all else fails the test. */
export function makeWritingProcess() {
  const written = { output: "", errors: "" };
  const process: Process = {
    ...unusedProcess,
    writeOutput: (text) => {
      written.output += text;
    },
    writeError: (text) => {
      written.errors += text;
    },
  };
  return { process, written };
}

/** One that a test sends signals to, as `serve` needs it. */
export function makeSignalledProcess() {
  const signalListeners = new Set<(signal: Signal) => void>();
  const reloadListeners = new Set<() => void>();
  const faultListeners = new Set<(fault: unknown) => void>();
  const { process: writing, written } = makeWritingProcess();
  const ready = Promise.withResolvers<void>();
  const exits: number[] = [];
  const process: Process = {
    writeOutput: (text) => {
      writing.writeOutput(text);
      ready.resolve();
    },
    writeError: writing.writeError,
    onSignal: (listener) => {
      signalListeners.add(listener);
      return () => signalListeners.delete(listener);
    },
    onReload: (listener) => {
      reloadListeners.add(listener);
      return () => reloadListeners.delete(listener);
    },
    onFault: (listener) => {
      faultListeners.add(listener);
      return () => faultListeners.delete(listener);
    },
    exit: (code) => exits.push(code),
  };
  return {
    process,
    written,
    /** The codes that it was to end with at once. */
    exits,
    /** Resolves at the first word on standard output. */
    ready: ready.promise,
    signal: (signal: Signal) => signalListeners.forEach((listener) => void listener(signal)),
    hangUp: () => reloadListeners.forEach((listener) => void listener()),
    fault: (fault: unknown) => faultListeners.forEach((listener) => void listener(fault)),
    /** How many listen to it. */
    listeners: () => signalListeners.size + faultListeners.size + reloadListeners.size,
  };
}
