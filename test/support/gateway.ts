/**
 * The whole program for a test: `startGateway` runs the real app in this process, `startBinary` the executable ./post-msg
 * as a process of its own. Both read a real configuration file from a temporary folder and listen on a free port.
 */

import { access } from "node:fs/promises";
import { join } from "node:path";
import { type AppOptions, start } from "../../src/app.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import { createLog, type LogLevel } from "../../src/log.ts";
import { type ChildProcess, startChild } from "./child-process.ts";
import { type ConfigTables, writeConfig } from "./gateway-config.ts";
import { makeTempFolder } from "./temp-folder.ts";
import { eventually, makeBell, within } from "./wait.ts";

/** Another one is named where the program's system calls are traced. */
const binary = process.env["POST_MSG_EXECUTABLE"] ?? join(import.meta.dir, "../../post-msg");
const readyDeadlineMs = 10_000;
/** What the program promises. */
const stopDeadlineMs = 26_000;

export interface GatewayOptions extends ConfigTables {
  /** Log lines of level error that belong to the test; any other one fails it when the gateway is stopped. */
  readonly expectedErrors?: RegExp;
}

export interface AppGatewayOptions extends GatewayOptions, AppOptions {
  /** Default: debug. */
  readonly logLevel?: LogLevel;
  readonly jids?: boolean;
  /** Sees each line of the log as it is written. */
  onLine?(line: string): void;
}

export interface BinaryOptions extends GatewayOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** In place of ./post-msg. */
  readonly program?: readonly string[];
  /** For a slow machine; default 10,000. */
  readonly readyDeadlineMs?: number;
  /** With which it has to end; default 0. */
  readonly exitCode?: number;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface PostOptions {
  /** user-id:password; default alice@example.com:secret; null: no credentials. */
  readonly user?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly signal?: AbortSignal;
}

export interface Gateway {
  /** With the base path. */
  readonly url: string;
  readonly port: number;
  /** `path` includes the base path. A string is text/plain unless the headers say otherwise. */
  post(path: string, body?: Bun.BodyInit, options?: PostOptions): Promise<Response>;
  /** What was logged so far. */
  readonly lines: readonly LogLine[];
  /** The first line that fits, as soon as it is there. */
  logged(fits: (line: LogLine) => boolean, deadlineMs?: number): Promise<LogLine>;
  /** Puts another configuration in force, as SIGHUP would; resolves when it is, or, of a process, when it was refused. */
  reload(tables: ConfigTables): Promise<void>;
  /** Stops it as SIGTERM would, and rejects where something was logged as an error that nobody expected. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Binary extends Gateway {
  readonly process: ChildProcess;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export async function startGateway(options: AppGatewayOptions): Promise<Gateway> {
  const folder = await makeTempFolder("post-msg-gateway-");
  const bell = makeBell();
  const lines: LogLine[] = [];
  try {
    const load = async (tables: ConfigTables) => {
      const loaded = await loadConfig(await writeConfig(folder, tables));
      if ("problems" in loaded) throw new Error(loaded.problems.map(formatProblem).join("\n"));
      return loaded.config;
    };
    const destination = {
      write: (line: string) => {
        options.onLine?.(line);
        lines.push(JSON.parse(line));
        bell.ring();
      },
    };
    const { logLevel: level = "debug", jids = false } = options;
    const app = await start(await load(options), createLog({ level, format: "json", jids, destination }), options);
    const stop = once(async () => {
      await within(stopDeadlineMs, "the gateway to stop", app.stop()).finally(folder.remove);
      refuseErrors(lines, options);
    });
    const reload = async (tables: ConfigTables) => app.reload(await load(tables));
    return makeGateway(app.url, () => lines, bell.until, { reload, stop });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** `stop` sends SIGTERM, and rejects unless the process ends, or has ended, with the right exit code. */
export async function startBinary(options: BinaryOptions): Promise<Binary> {
  const { program = [binary], exitCode = 0 } = options;
  await access(program[0] ?? binary).catch(() => {
    throw new Error("There is no executable ./post-msg to test; `make build` makes it.");
  });
  const folder = await makeTempFolder("post-msg-binary-");
  const file = await writeConfig(folder, options);
  const env = { ...process.env, ...options.env };
  const child = startChild([...program, "serve", "--config", file], { cwd: folder.path, env });
  const readLines = () => parseLines(child.output());
  const stop = once(async () => {
    try {
      await child.terminate(stopDeadlineMs);
      const code = await child.exited;
      if (code !== exitCode) throw new Error(`post-msg ended with ${code}:\n${child.output().slice(-4_000)}`);
      refuseErrors(readLines(), options);
    } finally {
      await folder.remove();
    }
  });
  try {
    await child.says(/ listens on \S+\n/, options.readyDeadlineMs ?? readyDeadlineMs);
  } catch (error) {
    await child.kill();
    await folder.remove();
    throw error;
  }
  const url = / listens on (\S+)\n/.exec(child.output())?.[1] ?? "";
  const kill = async () => {
    await child.kill();
    await folder.remove();
  };
  const countReloads = () => readLines().filter(({ msg }) => /read again|in force stays/.test(msg)).length;
  const reload = async (tables: ConfigTables) => {
    const before = countReloads();
    await writeConfig(folder, tables);
    process.kill(child.pid, "SIGHUP");
    await eventually(() => countReloads() > before, readyDeadlineMs, "the configuration to be read again");
  };
  return Object.assign(makeGateway(url, readLines, eventually, { reload, stop }), { process: child, kill });
}

type Until = <T>(check: () => T | undefined, deadlineMs: number, what: string) => Promise<T>;

function makeGateway(
  url: string,
  lines: () => readonly LogLine[],
  until: Until,
  ends: Pick<Gateway, "reload" | "stop">,
): Gateway {
  const { origin, port } = new URL(url);
  return {
    url,
    port: Number(port),
    post: (path, body, options) => fetch(`${origin}${path}`, makeRequest(body, options)),
    get lines() {
      return lines();
    },
    logged: (fits, deadlineMs = 5_000) => until(() => lines().find(fits), deadlineMs, "a line in the log"),
    ...ends,
    [Symbol.asyncDispose]: ends.stop,
  };
}

function makeRequest(body: Bun.BodyInit | undefined, options: PostOptions = {}): RequestInit {
  const { user = "alice@example.com:secret", method = "POST", headers, signal } = options;
  const credentials = user === null ? {} : { Authorization: `Basic ${Buffer.from(user).toString("base64")}` };
  return {
    method,
    headers: { ...credentials, ...headers },
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** A crash report or a torn line is kept as an error of its own, so that it cannot be overlooked. */
function parseLines(output: string): readonly LogLine[] {
  const whole = output.split("\n").slice(0, -1);
  return whole.filter((line) => !/ listens on /.test(line)).map(parseLine);
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line);
  } catch {
    return { level: "error", msg: line };
  }
}

function refuseErrors(lines: readonly LogLine[], { expectedErrors }: GatewayOptions): void {
  const errors = lines.filter(({ level, msg }) => level === "error" && !expectedErrors?.test(msg));
  if (errors.length === 0) return;
  throw new Error(`The gateway logged errors:\n${errors.map((line) => JSON.stringify(line)).join("\n")}`);
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= run();
    return running;
  };
}
