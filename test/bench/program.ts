/** A program whose CPU time and memory are measured. What it writes goes to a file, as to a journal, and not to us. */

import { join } from "node:path";
import { type ConfigTables, writeConfig } from "../support/gateway-config.ts";
import { cpuMs, residentKiB } from "../support/process-figures.ts";
import { makeTempFolder } from "../support/temp-folder.ts";
import { within } from "../support/wait.ts";

const readyDeadlineMs = 20_000;
const stopDeadlineMs = 30_000;
export const binary = join(import.meta.dir, "../../post-msg");

export interface Program {
  readonly pid: number;
  /** What `ready` has found in its standard output. */
  readonly url: string;
  /** From its start to that output, in milliseconds. */
  readonly readyMs: number;
  cpuMs(): Promise<number>;
  residentMiB(): Promise<number>;
  stop(): Promise<void>;
}

/** `ready` matches the line that says where it listens. */
export async function startProgram(command: readonly string[], ready: RegExp, cwd?: string): Promise<Program> {
  const startedMs = performance.now();
  const log = await makeTempFolder("post-msg-bench-log-");
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: Bun.file(await log.write("log", "")),
    ...(cwd === undefined ? {} : { cwd }),
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  try {
    const url = await within(readyDeadlineMs, `${command[0]} to be ready`, readUntil(child.stdout, ready));
    return {
      pid: child.pid,
      url,
      readyMs: performance.now() - startedMs,
      cpuMs: () => cpuMs(child.pid),
      residentMiB: async () => (await residentKiB(child.pid)) / 1024,
      stop: async () => {
        process.off("exit", kill);
        child.kill("SIGTERM");
        await within(stopDeadlineMs, `${command[0]} to end`, child.exited).finally(kill);
        await log.remove();
      },
    };
  } catch (error) {
    kill();
    throw new Error(`${command[0]}: ${await Bun.file(join(log.path, "log")).text()}`, { cause: error });
  }
}

/** The executable, with a configuration of its own. */
export async function startPostMsg(tables: ConfigTables): Promise<Program> {
  const folder = await makeTempFolder("post-msg-bench-");
  const file = await writeConfig(folder, tables);
  const program = await startProgram([binary, "serve", "--config", file], / listens on (\S+)\n/, folder.path);
  return { ...program, stop: () => program.stop().finally(folder.remove) };
}

async function readUntil(output: ReadableStream<Uint8Array>, ready: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output) {
    text += decoder.decode(chunk, { stream: true });
    const [, found] = ready.exec(text) ?? [];
    if (found !== undefined) return found;
  }
  throw new Error(`It ended before it said ${ready}: ${text}`);
}

/** Whether this version has that setting. */
export async function knowsSetting(section: string, name: string): Promise<boolean> {
  const { sections } = await import("../../src/config/settings.ts");
  const found: Readonly<Record<string, unknown>> =
    Object.entries(sections).find(([each]) => each === section)?.[1] ?? {};
  return name in found;
}
