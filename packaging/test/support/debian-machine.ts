/**
 * A Debian 12 of its own in a folder: fresh from debootstrap, booted with its own systemd, with a network that has no
 * other machine in it. Needs root. Whatever happens it is switched off, and its folder is removed.
 */

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ChildProcess, runToEnd, startChild } from "../../../test/support/child-process.ts";
import { makeTempFolder } from "../../../test/support/temp-folder.ts";
import { eventually, within } from "../../../test/support/wait.ts";

export interface DebianMachine {
  /** Of its file system, as this machine sees it. */
  readonly root: string;
  /** A shell's lines, as root in there. Resolves to all that they said; rejects unless they end with 0. */
  run(script: string, deadlineMs?: number): Promise<string>;
  /** A program of this machine, with the network of that one. */
  startInNetwork(command: readonly string[]): ChildProcess;
  stop(): Promise<void>;
}

const suite = "bookworm";
const installMs = 8 * 60_000;
const bootMs = 90_000;

export async function bootDebian(packages: readonly string[]): Promise<DebianMachine> {
  const folder = await makeTempFolder("post-msg-debian-");
  const root = join(folder.path, "root");
  let machine: ChildProcess | undefined;
  const stop = async () => {
    // SIGTERM to systemd-nspawn switches the machine off in an orderly way.
    await machine?.terminate(30_000);
    await rm(folder.path, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const basis = ["systemd", "systemd-sysv", "dbus", "ca-certificates"].join(",");
    const mirror = await findMirror();
    await runLong(["debootstrap", "--variant=minbase", `--include=${basis}`, suite, root, mirror], installMs);
    // Those that want more than debootstrap has: a network for apt, and processes. What they start is not started yet.
    const forbid = `printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d`;
    const install = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
    await runLong(inFolder(root, `${forbid}; ${install}; rm /usr/sbin/policy-rc.d`), installMs);
    machine = startChild([
      "systemd-nspawn",
      ...["--boot", "--register=no", "--keep-unit", "--private-network", "--link-journal=no", "--quiet"],
      `--directory=${root}`,
    ]);
    const { pid } = machine;
    const init = await eventually(() => firstChild(pid), bootMs, "the machine to begin");
    const enter = ["nsenter", "--target", init, "--all"];
    const run = (script: string, deadlineMs = 60_000) => runLong([...enter, ...shell(script)], deadlineMs);
    const isUp = () =>
      run("systemctl is-system-running || true").then(
        (state) => /^(running|degraded)/.test(state),
        () => false,
      );
    await eventually(isUp, bootMs, "the machine to be up");
    return {
      root,
      run,
      startInNetwork: (command) => startChild(["nsenter", "--target", init, "--net", ...command]),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Proc and dev are there only for as long as it takes, in a namespace of its own, so that nothing stays mounted. */
function inFolder(root: string, script: string): readonly string[] {
  const mounts = `mount -t proc proc '${root}/proc'; mount --rbind /dev '${root}/dev'`;
  return ["unshare", "--mount", "sh", "-ec", `${mounts}; exec chroot '${root}' "$@"`, "sh", ...shell(script)];
}

function shell(script: string): readonly string[] {
  const environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"];
  return ["/usr/bin/env", "-i", ...environment, "/bin/sh", "-ec", script];
}

/** Where this machine's own packages come from. */
export async function findMirror(): Promise<string> {
  const list = await runToEnd(["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]);
  const mirror = /^Debian (http\S+)/m.exec(list)?.[1];
  if (mirror === undefined) throw new Error(`apt knows no Debian mirror, only:\n${list}`);
  return mirror;
}

/** Like runToEnd, for what takes longer. */
export async function runLong(command: readonly string[], deadlineMs: number): Promise<string> {
  const child = startChild(command);
  const code = await within(deadlineMs, `${command.at(-1)} to end`, child.exited).finally(() => child.kill());
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${child.output().slice(-6_000)}`);
  return child.output();
}

async function firstChild(pid: number): Promise<string | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return /\d+/.exec(children)?.[0];
}
