/**
 * Standard error, written to without ever waiting for who reads it: a journal that stands still, or a pipe that nobody
 * empties, must not stop the gateway. What cannot be written waits, up to a bound; beyond that, whole lines are left out
 * and counted. A write to a pipe waits for room unless it is short and poll(2) has said that there is some; Bun and Node
 * can set no descriptor to not waiting, and others may have the same one open. (What those write between the two calls, and
 * a terminal with hardly any room left, can still make us wait.)
 */

import { fstatSync, writeSync } from "node:fs";
import { openLibc } from "./libc.ts";

export interface StandardError {
  /** A whole line, which leaves with the others of this turn of the event loop. */
  write(line: string): void;
  /** What waits leaves now, as far as it can. */
  flush(): void;
}

const standardError = 2;
/** PIPE_BUF of Linux: of a pipe that is writable, so many bytes are taken at once. */
const mostAtOnce = 4_096;
/** What waits, more or less in bytes. */
const maxWaiting = 1024 * 1024;
const retryMs = 50;
const lineFeed = 10;
/** For what still waits when the process ends. */
const lastWordsMs = 500;

/**
 * `onLost`: called when there is room again, with how many lines were left out. `descriptor`: default 2, which is standard
 * error.
 */
export function openStandardError(onLost: (lines: number) => void, descriptor = standardError): StandardError {
  const isReady = mayWait(descriptor) ? createPoll(descriptor) : undefined;
  let lines: string[] = [];
  let waiting = 0;
  let lost = 0;
  /** The last write failed: to tell of it would fail, too. */
  let failing = false;
  /** Of what was taken to be written, the bytes that found no room yet. */
  let rest: Buffer | undefined;
  let scheduled = false;
  let retry: ReturnType<typeof setTimeout> | undefined;

  process.once("exit", () => {
    const untilMs = performance.now() + lastWordsMs;
    while (!writeAll(() => Math.max(0, untilMs - performance.now())) && performance.now() < untilMs);
  });
  return { write, flush };

  function write(line: string): void {
    if (waiting + (rest?.length ?? 0) > maxWaiting) {
      lost += 1;
      return;
    }
    lines.push(line);
    waiting += line.length;
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flush();
    });
  }

  function flush(): void {
    if (retry !== undefined) return;
    if (!writeAll(() => 0)) {
      retry = setTimeout(() => {
        retry = undefined;
        flush();
      }, retryMs);
      return;
    }
    if (failing || lost === 0) return;
    const count = lost;
    lost = 0;
    onLost(count);
  }

  /** False: some of it has to wait. `timeoutMs`: how long it may take until there is room. */
  function writeAll(timeoutMs: () => number): boolean {
    for (;;) {
      const bytes = rest ?? takeWaiting();
      if (bytes === undefined) return true;
      rest = bytes;
      if (isReady !== undefined && !isReady(timeoutMs())) return false;
      try {
        const piece = isReady === undefined ? bytes : bytes.subarray(0, mostAtOnce);
        const written = writeSync(descriptor, piece);
        rest = written < bytes.length ? bytes.subarray(written) : undefined;
        failing = false;
      } catch (error) {
        if (isBusy(error)) return false;
        // Nobody reads it any more, or its disk is full.
        lost += countLines(bytes);
        failing = true;
        rest = undefined;
      }
    }
  }

  function takeWaiting(): Buffer | undefined {
    if (lines.length === 0) return undefined;
    const bytes = Buffer.from(lines.join(""));
    lines = [];
    waiting = 0;
    return bytes;
  }
}

/** A file is always written to at once. */
function mayWait(descriptor: number): boolean {
  try {
    return !fstatSync(descriptor).isFile();
  } catch {
    return false; // It is closed.
  }
}

/** Undefined where the system has no such call that we know; a write may have to wait there. */
function createPoll(descriptor: number): ((timeoutMs: number) => boolean) | undefined {
  try {
    const { symbols } = openLibc({ poll: { args: ["buffer", "u64", "i32"], returns: "i32" } });
    const POLLOUT = 4;
    // struct pollfd
    const watched = new DataView(new ArrayBuffer(8));
    watched.setInt32(0, descriptor, true);
    watched.setInt16(4, POLLOUT, true);
    return (timeoutMs) => symbols.poll(watched, 1n, Math.ceil(timeoutMs)) > 0;
  } catch {
    return undefined;
  }
}

function countLines(bytes: Buffer): number {
  return bytes.reduce((count, byte) => (byte === lineFeed ? count + 1 : count), 0);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
