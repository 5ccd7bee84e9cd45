/** The process as the commands see it: main.ts has the real one, a test has its own. */

export type Signal = "SIGTERM" | "SIGINT";

export interface Process {
  /** To standard output, at once. */
  writeOutput(text: string): void;
  /** To standard error, at once. */
  writeError(text: string): void;
  /** Returns what removes the listener. */
  onSignal(listener: (signal: Signal) => void): () => void;
  /** SIGHUP. Returns what removes the listener. */
  onReload(listener: () => void): () => void;
  /** An exception or a rejection that nobody caught. Returns what removes the listener. */
  onFault(listener: (fault: unknown) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** Those of sysexits.h, but for 1 and 2, which every mistake in the command line or the configuration has. */
export const exitCodes = {
  good: 0,
  /** Of `health` alone: what a container runtime takes for unhealthy. */
  notHealthy: 1,
  /** `check --connect`: at least one host cannot be used. */
  hostUnusable: 1,
  mistake: 2,
  cannotListen: 69,
  fault: 70,
  notDrained: 75,
} as const;

export const exitCodesOfSignals: Readonly<Record<Signal, number>> = { SIGINT: 130, SIGTERM: 143 };
