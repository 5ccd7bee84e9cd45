/**
 * The system calls of the executable, while the tests that run it do so, against the unit's filter: strace stops at
 * every call that the filter would refuse.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, readdir } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../test/support/child-process.ts";
import { makeTempFolder, type TempFolder } from "../../test/support/temp-folder.ts";
import { within } from "../../test/support/wait.ts";
import { runLong } from "./support/debian-machine.ts";

const root = join(import.meta.dir, "../..");
const suiteMs = 8 * 60_000;
const suites = [
  ...["gateway-binary", "systemd-notify", "packaging-install"].map((name) => `./test/peer/${name}.test.ts`),
  ...["acks-shutdown", "door-reload", "doctor-real", "gateway-binary"].map((name) => `./test/server/${name}.test.ts`),
];

let folder: TempFolder;
let allowed: ReadonlySet<string>;
beforeAll(async () => {
  folder = await makeTempFolder();
  allowed = await readFilter();
});
afterAll(() => folder.remove());

/** The names in SystemCallFilter=, its groups taken apart. */
async function readFilter(): Promise<ReadonlySet<string>> {
  const unit = await Bun.file(join(root, "packaging/post-msg.service")).text();
  const names = new Set<string>();
  for (const [, not, groups = ""] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const name of (await Promise.all(groups.split(" ").map(expand))).flat()) {
      if (not === "~") names.delete(name);
      else names.add(name);
    }
  }
  return names;
}

async function expand(name: string): Promise<readonly string[]> {
  if (!name.startsWith("@")) return [name];
  const output = await runLong(["systemd-analyze", "syscall-filter", "--no-pager", name], 30_000);
  const members = [...output.matchAll(/^ {4}([@a-z]\S*)$/gm)].map(([, member = ""]) => member);
  return (await Promise.all(members.map(expand))).flat();
}

/** What was called that is not in `names`, while the tests ran, and how they ended. */
async function traceSuites(names: ReadonlySet<string>, files: readonly string[]) {
  const traces = await makeTempFolder();
  // -D: the program keeps its process id, which the tests send signals to.
  const strace = ["exec strace -D -f -qq --seccomp-bpf", `-e trace='!${await onlyKnown(names)}' -e signal=none`];
  const script = `#!/bin/sh\n${strace.join(" ")} -o '${traces.path}/'"$$" '${join(root, "post-msg")}' "$@"\n`;
  const wrapper = await traces.write("post-msg", script);
  await chmod(wrapper, 0o755);
  const env = { ...process.env, POST_MSG_EXECUTABLE: wrapper };
  const child = startChild([process.execPath, "test", "--timeout=60000", ...files], { cwd: root, env });
  const code = await within(suiteMs, "the tests to end", child.exited).finally(() => child.kill());
  const logs = (await readdir(traces.path)).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(logs.map((name) => Bun.file(join(traces.path, name)).text()));
  await traces.remove();
  const calls = lines.join("").matchAll(/^\d+ +(?:<\.\.\. )?([a-z_0-9]+)[( ]/gm);
  return { code, output: child.output(), runs: logs.length, refused: [...new Set([...calls].map(([, name]) => name))] };
}

/** The kernel's filter may name more than strace has heard of. */
async function onlyKnown(names: ReadonlySet<string>): Promise<string> {
  const question = (name: string) => startChild(["strace", "-e", `trace=${name}`, "true"]).exited;
  const known = await Promise.all([...names].map(async (name) => ((await question(name)) === 0 ? [name] : [])));
  return known.flat().join(",");
}

test(
  "the program calls nothing that the unit's filter refuses",
  async () => {
    const { code, output, runs, refused } = await traceSuites(allowed, suites);
    expect([code, code === 0 ? "" : output]).toEqual([0, ""]);
    expect(runs).toBeGreaterThan(10);
    expect(refused).toEqual([]);
  },
  suiteMs,
);

test(
  "a call that is not in the filter would have been seen",
  async () => {
    const less = new Set([...allowed].filter((name) => name !== "listen" && name !== "sendto"));
    const { refused } = await traceSuites(less, ["./test/peer/systemd-notify.test.ts"]);
    expect(refused).toEqual(expect.arrayContaining(["listen", "sendto"]));
  },
  suiteMs,
);
