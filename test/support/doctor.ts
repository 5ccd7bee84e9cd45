/** The doctor for a test: a real configuration file, the real examination, and what it reported. */

import { formatProblem } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import type { Diagnosis, StepReport } from "../../src/doctor/diagnosis.ts";
import { examineHosts } from "../../src/doctor.ts";
import type { Step } from "../../src/findings.ts";
import type { Lookup } from "../../src/xmpp/resolve.ts";
import { type ConfigTables, type HostTable, writeConfig } from "./gateway-config.ts";
import { jid } from "./jid.ts";
import { makeTempFolder } from "./temp-folder.ts";

export interface DoctorRun {
  readonly domain: string;
  readonly host: HostTable;
  /** Log in with this account, too. */
  readonly as?: string;
  /** Default: secret. */
  readonly password?: string;
  readonly settings?: ConfigTables["settings"];
  readonly lookup?: Lookup;
  readonly now?: () => Date;
}

export interface Examined extends Diagnosis {
  /** Throws when there was no such step. */
  step(name: Step): StepReport;
}

export async function runDoctor({
  domain,
  host,
  as,
  password = "secret",
  settings,
  lookup,
  now,
}: DoctorRun): Promise<Examined> {
  const folder = await makeTempFolder("post-msg-doctor-");
  try {
    const loaded = await loadConfig(
      await writeConfig(folder, { hosts: { [domain]: host }, ...(settings && { settings }) }),
    );
    if ("problems" in loaded) throw new Error(loaded.problems.map(formatProblem).join("\n"));
    const told: StepReport[] = [];
    const [diagnosis] = await examineHosts({
      config: loaded.config,
      file: "post-msg.toml",
      credentials: as === undefined ? undefined : { account: jid(as), password },
      onHost: () => {},
      onStep: (report) => told.push(report),
      onDiagnosis: () => {},
      ...(lookup === undefined ? {} : { lookup }),
      ...(now === undefined ? {} : { now }),
    });
    if (diagnosis === undefined) throw new Error("There is no diagnosis.");
    if (told.length !== diagnosis.steps.length) throw new Error("Not every step was told of as it was done.");
    const step = (name: Step): StepReport => {
      const found = diagnosis.steps.find((each) => each.step === name);
      if (found === undefined)
        throw new Error(`There was no step "${name}":\n${JSON.stringify(diagnosis, undefined, 1)}`);
      return found;
    };
    return { ...diagnosis, step };
  } finally {
    await folder.remove();
  }
}
