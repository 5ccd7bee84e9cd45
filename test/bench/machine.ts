/** Where and with what was measured. */

import { cpus, release, totalmem } from "node:os";
import { version } from "../../src/version.ts";
import { runToEnd } from "../support/child-process.ts";

export interface Machine {
  readonly machine: string;
  readonly versions: string;
  readonly date: string;
}

export async function describeMachine(): Promise<Machine> {
  const [first, ...others] = cpus();
  const gibi = Math.round(totalmem() / 1024 ** 3);
  const packages = await Promise.all(["prosody", "ejabberd", "wrk"].map(describePackage));
  const commit = await describeCommit();
  return {
    machine: `${others.length + 1} cores of ${first?.model ?? "an unknown processor"}, ${gibi} GiB, Linux ${release()}`,
    versions: [`post-msg ${version}${commit}`, `Bun ${Bun.version}`, ...packages].join(", "),
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
  };
}

async function describePackage(name: string): Promise<string> {
  const installed = await runToEnd(["dpkg-query", "-W", "-f", `\${Version}`, name]).catch(() => "of unknown version");
  return `${name} ${installed}`;
}

async function describeCommit(): Promise<string> {
  const commit = await runToEnd(["git", "describe", "--always", "--dirty"]).catch(() => "");
  return commit === "" ? "" : ` (${commit.trim()})`;
}
