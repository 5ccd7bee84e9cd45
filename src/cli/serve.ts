/** `post-msg serve`: runs in the foreground until a signal, or an unforeseen fault, ends it; SIGHUP makes it read again. */

import { formatProblem } from "../config/problem.ts";
import type { Config } from "../config.ts";
import { createLog, type Log } from "../log.ts";
import type { Supervisor } from "../systemd/supervisor.ts";
import { version } from "../version.ts";
import { type ConfigFile, openConfigFile } from "./config-file.ts";
import { type Ending, watchForEnding } from "./ending.ts";
import { exitCodes, type Process } from "./process.ts";
import { type Reloading, watchForReload } from "./reload.ts";

export interface App {
  readonly url: string;
  reload(config: Config): Promise<void>;
  stop(): Promise<void>;
}

/** src/app.ts has the real one. Where it cannot listen, it rejects with a plain Error whose sentence says why. */
export type Start = (config: Config, log: Log) => Promise<App>;

export interface ServeOptions {
  readonly process: Process;
  /** Called when the configuration is known to be good. */
  readonly loadStart: () => Promise<Start>;
  /** Whoever started the program and wants to know how it is; default: nobody. */
  readonly openSupervisor?: (onProblem: (reason: string) => void) => Promise<Supervisor>;
  /** For tests; default: standard error, as the configuration wants it. */
  readonly log?: Log;
  /** From the request to stop to the end, default 25,000. */
  readonly stopDeadlineMs?: number;
}

const defaultStopDeadlineMs = 25_000;

/** Resolves to the exit code, when everything is stopped. */
export async function serve(named: string | undefined, options: ServeOptions): Promise<number> {
  const { process, loadStart, stopDeadlineMs = defaultStopDeadlineMs } = options;
  const opened = await openConfigFile(named, process);
  if (opened === undefined) return exitCodes.mistake;
  const log = options.log ?? createLog(opened.config.log);
  for (const warning of opened.warnings) log.warn({}, { quotesConfig: formatProblem(warning) });

  const ending = watchForEnding(process, log, stopDeadlineMs);
  const supervisor = await options.openSupervisor?.((reason) => log.warn({}, `Could not tell systemd: ${reason}.`));
  const started = Promise.withResolvers<App>();
  const reloading = watchForReload(opened, { process, log, app: started.promise, supervisor });
  try {
    const start = async (config: Config) => {
      const app = await (await loadStart())(config, log);
      started.resolve(app);
      return app;
    };
    const served = serveUntilEnding(opened, { start, process, log, ending, reloading, supervisor });
    return await Promise.race([served, ending.overdue]);
  } catch (error) {
    log.error({ err: error }, "An unforeseen fault in post-msg ends it.");
    return exitCodes.fault;
  } finally {
    reloading.release();
    ending.release();
    supervisor?.close();
  }
}

interface Serving {
  start(config: Config): Promise<App>;
  readonly process: Process;
  readonly log: Log;
  readonly ending: Ending;
  readonly reloading: Reloading;
  readonly supervisor: Supervisor | undefined;
}

async function serveUntilEnding(opened: ConfigFile, serving: Serving): Promise<number> {
  const { start, process, log, ending, reloading, supervisor } = serving;
  let app: App;
  try {
    app = await start(opened.config);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    process.writeError(`${error.message} Mend that, or change the address in "${opened.file}".\n`);
    return exitCodes.cannotListen;
  }
  process.writeOutput(`post-msg ${version} listens on ${app.url}\n`);
  supervisor?.ready();
  const exitCode = await ending.requested;
  reloading.release();
  await reloading.settled();
  supervisor?.stopping();
  await app.stop();
  log.info({}, "Stopped.");
  return exitCode;
}

/** A plain Error speaks to the user; a TypeError and its like are faults of ours. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "Error";
}
