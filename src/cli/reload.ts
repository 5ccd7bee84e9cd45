/**
 * SIGHUP: the configuration is read again and given to the app. One that is not good is told, and the one in force stays;
 * so does what a running process cannot change, which is named.
 */

import { isDeepStrictEqual } from "node:util";
import { formatProblem } from "../config/problem.ts";
import { type Config, loadConfig } from "../config.ts";
import type { Log } from "../log.ts";
import type { Supervisor } from "../systemd/supervisor.ts";
import type { ConfigFile } from "./config-file.ts";
import type { Process } from "./process.ts";

export interface Reloading {
  /** Resolves when what the signals so far have asked for is done. */
  settled(): Promise<void>;
  /** Removes the listener. */
  release(): void;
}

export interface Reloadable {
  /** Rejects with a plain Error whose sentence says why the configuration cannot be taken. */
  reload(config: Config): Promise<void>;
}

export interface ReloadOptions {
  readonly process: Process;
  readonly log: Log;
  /** Once it has started; before that, nothing is read again. */
  readonly app: Promise<Reloadable>;
  /** Told when it begins and when it is done, well or not. */
  readonly supervisor: Pick<Supervisor, "reloading" | "ready"> | undefined;
}

export function watchForReload({ file, fixed }: ConfigFile, options: ReloadOptions): Reloading {
  const { process, log, app, supervisor } = options;
  let last: Promise<unknown> = app;
  const release = process.onReload(() => {
    // One after the other; each reads what the file says when its turn has come.
    last = last.then(supervisor?.reloading).then(reload).then(supervisor?.ready);
  });
  return { settled: async () => void (await last), release };

  async function reload(): Promise<void> {
    const loaded = await loadConfig(file);
    if ("problems" in loaded) {
      for (const problem of loaded.problems) log.error({}, { quotesConfig: formatProblem(problem) });
      return log.error({ file }, "The configuration is not good, so the one in force stays.");
    }
    for (const warning of loaded.warnings) log.warn({}, { quotesConfig: formatProblem(warning) });
    try {
      await (await app).reload(loaded.config);
    } catch (error) {
      return log.error({ file, err: error }, "The configuration could not be taken, so the one in force stays.");
    }
    for (const [setting, value] of loaded.fixed) {
      if (isDeepStrictEqual(value, fixed.get(setting))) continue;
      log.warn({ setting }, `${setting} has changed, which takes effect when post-msg starts again.`);
    }
    log.info({ file }, "The configuration has been read again.");
  }
}
