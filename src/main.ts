/** The process: its arguments, its streams, its signals and its exit codes. Nothing else touches them. */

import { writeSync } from "node:fs";
import process from "node:process";
import { runCommandLine } from "./cli/command-line.ts";
import { exitCodes, type Process, type Signal } from "./cli/process.ts";
import { askWithoutEcho, readDescriptor, type Terminal } from "./cli/terminal.ts";
import { openSupervisor, type SupervisorOptions } from "./systemd/supervisor.ts";

const realProcess: Process = {
  writeOutput: (text) => write(1, text),
  writeError: (text) => write(2, text),
  onSignal(listener) {
    const signals: readonly Signal[] = ["SIGTERM", "SIGINT"];
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
  onReload(listener) {
    process.on("SIGHUP", listener);
    return () => process.off("SIGHUP", listener);
  },
  onFault(listener) {
    process.on("uncaughtException", listener);
    process.on("unhandledRejection", listener);
    return () => {
      process.off("uncaughtException", listener);
      process.off("unhandledRejection", listener);
    };
  },
  exit: (code) => process.exit(code),
};

const { stdin, stdout, env } = process;
const realTerminal: Terminal = {
  colour: stdout.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb",
  columns: stdout.isTTY ? stdout.columns : undefined,
  askPassword: stdin.isTTY ? (question) => askWithoutEcho(question, stdin, (text) => write(2, text)) : undefined,
  readDescriptor,
};

/** Synchronous, so that nothing is lost at an exit. */
function write(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // Nobody reads it any more (EPIPE); the exit code still says how it went.
  }
}

try {
  const loadStart = async () => (await import("./app.ts")).start;
  const loadDoctor = async () => (await import("./doctor.ts")).examineHosts;
  const openSystemd = (onProblem: SupervisorOptions["onProblem"]) =>
    openSupervisor({ environment: env, pid: process.pid, onProblem });
  const doors = {
    process: realProcess,
    terminal: realTerminal,
    loadStart,
    loadDoctor,
    openSupervisor: openSystemd,
  };
  process.exit(await runCommandLine(process.argv.slice(2), doors));
} catch (error) {
  write(2, `post-msg: an unforeseen fault: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(exitCodes.fault);
}
