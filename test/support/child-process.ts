/** A program that a test has started: what it says is kept, and it is ended by its own process id. */

import { within } from "./wait.ts";

export interface ChildProcess {
  readonly pid: number;
  /** All that it has written to its standard output and standard error so far. */
  output(): string;
  /** Resolves once the pattern is found in its output; rejects when it ends before, or after `deadlineMs`. */
  says(pattern: RegExp, deadlineMs: number): Promise<void>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Sends SIGTERM, and SIGKILL after `graceMs`; resolves when it is gone. */
  terminate(graceMs?: number): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly cwd?: string;
  /** The whole environment; default: the test's own. */
  readonly env?: Record<string, string | undefined>;
}

// A test run that ends early takes its servers with it.
const alive = new Set<Bun.Subprocess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

export function startChild(command: readonly string[], options: ChildOptions = {}): ChildProcess {
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
  });
  let output = "";
  let changed = Promise.withResolvers<void>();
  const collect = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true });
      changed.resolve();
      changed = Promise.withResolvers();
    }
  };
  const drained = Promise.all([collect(child.stdout), collect(child.stderr)]);
  alive.add(child);
  const exited = child.exited.then((code) => {
    alive.delete(child);
    return child.signalCode ?? code;
  });

  const hasSaid = async (pattern: RegExp): Promise<void> => {
    let over = false;
    const ended = Promise.all([exited, drained]).then(() => {
      over = true;
    });
    while (!pattern.test(output)) {
      if (over) throw new Error(`${command[0]} ended (${await exited}) before it said ${pattern}:\n${output}`);
      await Promise.race([changed.promise, ended]);
    }
  };

  return {
    pid: child.pid,
    output: () => output,
    exited,
    says: (pattern, deadlineMs) => within(deadlineMs, `${command[0]} to say ${pattern}`, hasSaid(pattern)),
    terminate: async (graceMs = 5000) => {
      const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
      child.kill("SIGTERM");
      await exited;
      clearTimeout(timer);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs a program to its end and returns its standard output. Rejects, with all it said, unless it exits with 0. */
export async function runToEnd(
  command: readonly string[],
  options: ChildOptions = {},
  deadlineMs = 30_000,
): Promise<string> {
  const child = startChild(command, options);
  const result = await within(deadlineMs, `${command[0]} to end`, child.exited).finally(() => child.kill());
  if (result !== 0)
    throw new Error(`${command.slice(0, 4).join(" ")} … ended with ${result}:\n${child.output().slice(-2000)}`);
  return child.output();
}
