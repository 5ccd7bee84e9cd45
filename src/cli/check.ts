/** `post-msg check`: says whether the configuration is good and, with `--connect`, whether its hosts can be used. */

import { type ConfigProblem, formatProblem } from "../config/problem.ts";
import { type Config, loadConfig } from "../config.ts";
import type { Diagnosis } from "../doctor/diagnosis.ts";
import { textReport } from "../doctor/text-report.ts";
import type { Doctor } from "../doctor.ts";
import type { Credentials } from "../message.ts";
import { type AccountOptions, readAccount, readCredentials } from "./account.ts";
import { findConfigFile, noConfiguration, openConfigFile } from "./config-file.ts";
import { exitCodes, type Process } from "./process.ts";
import type { Terminal } from "./terminal.ts";

export interface CheckOptions extends AccountOptions {
  readonly config?: string | undefined;
  readonly connect?: true | undefined;
  readonly json?: true | undefined;
}

export interface CheckDoors {
  readonly process: Process;
  readonly terminal: Terminal;
  /** Called when hosts are to be examined. */
  readonly loadDoctor: () => Promise<Doctor>;
}

/** Resolves to the exit code. */
export async function check(options: CheckOptions, doors: CheckDoors): Promise<number> {
  const { process } = doors;
  const account = readAccount(options);
  if ("mistake" in account) return refuse(account.mistake, process);
  const opened = options.json
    ? await openForProgram(options.config, process)
    : await openConfigFile(options.config, process);
  if (opened === undefined) return exitCodes.mistake;
  const { file, config, warnings } = opened;
  if (!options.json) {
    for (const warning of warnings) process.writeError(`${formatProblem(warning)} (warning)\n`);
    const hosts = config.hosts.size === 1 ? "1 host" : `${config.hosts.size} hosts`;
    process.writeOutput(`${file} is good: ${hosts}, listens on ${showListen(config.http.listen)}\n`);
  }
  if (!options.connect && account.jid === undefined) {
    if (options.json) writeJson(process, { file, problems: [], warnings, hosts: [] });
    return exitCodes.good;
  }
  const credentials = await readCredentials(account.jid, options, { ...opened, terminal: doors.terminal });
  if ("mistake" in credentials) return refuse(credentials.mistake, process);
  return examine({ file, config, warnings, credentials: credentials.value }, options, doors);
}

interface Examined {
  readonly file: string;
  readonly config: Config;
  readonly warnings: readonly ConfigProblem[];
  readonly credentials: Credentials | undefined;
}

async function examine(
  { file, config, warnings, credentials }: Examined,
  { json }: CheckOptions,
  { process, terminal, loadDoctor }: CheckDoors,
): Promise<number> {
  const { colour, columns } = terminal;
  const report = textReport({ write: json ? () => {} : (text) => process.writeOutput(text), colour, columns });
  report.start();
  const doctor = await loadDoctor();
  const diagnoses = await doctor({
    config,
    file,
    credentials,
    onHost: report.begin,
    onStep: report.step,
    onDiagnosis: report.end,
  });
  const sick = diagnoses.some(({ state }) => state === "failed");
  if (json) writeJson(process, { file, problems: [], warnings, hosts: diagnoses });
  else if (credentials === undefined && !sick) process.writeOutput(loginHint(config));
  return sick ? exitCodes.hostUnusable : exitCodes.good;
}

/** What is left to be seen. */
function loginHint(config: Config): string {
  const [domain = "example.com"] = config.hosts.keys();
  return `No login was tried. "post-msg check --as USER@${domain}" logs in and sends a message to itself.\n`;
}

function refuse(mistake: string, process: Process): number {
  process.writeError(`post-msg: ${mistake}\n`);
  return exitCodes.mistake;
}

/** As `openConfigFile`, but what is wrong is JSON, too. */
async function openForProgram(named: string | undefined, process: Process) {
  const file = await findConfigFile(named);
  if (file === undefined) {
    process.writeError(noConfiguration());
    return undefined;
  }
  const loaded = await loadConfig(file);
  if ("config" in loaded) return { file, ...loaded };
  writeJson(process, { file, problems: loaded.problems, warnings: [], hosts: [] });
  return undefined;
}

interface Report {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  readonly hosts: readonly Diagnosis[];
}

/** Described in docs/check.md; what stands in it keeps its name and meaning. */
function writeJson(process: Process, report: Report): void {
  const { file, problems, warnings, hosts } = report;
  const has = (state: Diagnosis["state"]) => hosts.some((host) => host.state === state);
  const failed = problems.length > 0 || has("failed");
  const state = failed ? "failed" : warnings.length > 0 || has("warning") ? "warning" : "good";
  process.writeOutput(`${JSON.stringify({ version: 1, state, file, problems, warnings, hosts }, undefined, 2)}\n`);
}

/** As it is written in the configuration. */
function showListen(listen: Config["http"]["listen"]): string {
  if ("unixPath" in listen) return `unix:${listen.unixPath}`;
  return listen.hostname.includes(":") ? `[${listen.hostname}]:${listen.port}` : `${listen.hostname}:${listen.port}`;
}
