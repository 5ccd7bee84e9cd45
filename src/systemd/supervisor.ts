/**
 * What systemd is told (sd_notify(3)): ready, reloading, stopping, and again and again that the event loop turns. Where
 * systemd is not the one who started us, nothing is done at all.
 */

import type { DatagramSocket } from "./datagram.ts";

export interface Supervisor {
  /** Requests are taken; after a reload, again. */
  ready(): void;
  reloading(): void;
  stopping(): void;
  /** Nothing is said any more. */
  close(): void;
}

export interface SupervisorOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Told once, when systemd cannot be reached; `reason` is the end of a sentence. */
  readonly onProblem: (reason: string) => void;
}

const silent: Supervisor = { ready() {}, reloading() {}, stopping() {}, close() {} };

/** Never rejects: who runs without systemd's care still runs. */
export async function openSupervisor({ environment, pid, onProblem }: SupervisorOptions): Promise<Supervisor> {
  const path = environment["NOTIFY_SOCKET"];
  if (path === undefined || path === "") return silent;
  const socket = await open(path).catch((error: Error) => error.message);
  if (typeof socket === "string") {
    onProblem(`NOTIFY_SOCKET "${path}" cannot be used: ${socket}`);
    return silent;
  }
  let refused = false;
  const tell = (...lines: readonly string[]) => {
    if (socket.send(lines.join("\n")) || refused) return;
    refused = true;
    onProblem(`NOTIFY_SOCKET "${path}" did not take "${lines[0]}"`);
  };
  const stopWatchdog = startWatchdog(environment, pid, () => tell("WATCHDOG=1"));
  return {
    ready: () => tell("READY=1"),
    reloading: () => tell("RELOADING=1", `MONOTONIC_USEC=${socket.monotonicMicroseconds()}`),
    stopping: () => tell("STOPPING=1"),
    close() {
      stopWatchdog();
      socket.close();
    },
  };
}

/** Foreign code is loaded only where it is needed. */
async function open(path: string): Promise<DatagramSocket> {
  const { openDatagramSocket } = await import("./datagram.ts");
  return openDatagramSocket(path);
}

/** Twice as often as asked for, as sd_watchdog_enabled(3) advises. Returns what ends it. */
function startWatchdog(environment: SupervisorOptions["environment"], pid: number, beat: () => void): () => void {
  const { WATCHDOG_USEC: limit = "", WATCHDOG_PID: whose = String(pid) } = environment;
  if (!/^[1-9]\d{0,15}$/.test(limit) || whose !== String(pid)) return () => {};
  const timer = setInterval(beat, Math.min(Number(limit) / 2_000, 2 ** 31 - 1));
  timer.unref();
  return () => clearInterval(timer);
}
