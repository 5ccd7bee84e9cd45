/**
 * The gate: `gate.ts check` for what needs no server, `gate.ts everything` for all of it. Every step is taken, also
 * after one that failed, so that one run shows all there is to repair. The last line is `N passed, N failed`: the
 * tests, by the runner's own report, and every step that failed.
 */

import { join } from "node:path";
import { makeTempFolder } from "./temp-folder.ts";
import { readTestReport, type TestReport } from "./test-report.ts";

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** May ask for a password, or has something to say also when it succeeds. */
  readonly onTerminal?: true;
}

const testTimeoutMs = 60_000;
const runTimeoutMs = 15 * 60_000;
const bun = process.execPath;
const tool = (name: string) => [bun, "--bun", join("node_modules/.bin", name)];

const packages = [
  ...["prosody", "ejabberd", "haproxy", "nginx-light", "python3-slixmpp", "curl", "ca-certificates"],
  ...["mandoc", "python3", "systemd", "caddy", "busybox", "wget"],
  ...["prometheus", "fail2ban", "chromium", "slowhttptest"],
];
const preparations: readonly Step[] = [
  { name: "Debian packages", command: ["sh", "test/support/install-debian.sh", ...packages], onTerminal: true },
  { name: "build", command: ["make", "--no-print-directory", "build"] },
];
const readings: readonly Step[] = [
  { name: "format", command: [...tool("biome"), "format"] },
  { name: "lint", command: [...tool("biome"), "check", "--formatter-enabled=false", "--error-on-warnings"] },
  { name: "types", command: [...tool("tsc"), "--project", "."] },
];
const gates: Readonly<Record<string, { readonly steps: readonly Step[]; readonly tests: readonly string[] }>> = {
  check: { steps: readings, tests: ["./test/unit", "./test/support"] },
  everything: { steps: [...preparations, ...readings], tests: ["--coverage", "./test"] },
};

const gate = gates[process.argv[2] ?? ""];
if (gate === undefined) throw new Error(`The gate is one of ${Object.keys(gates).join(", ")}.`);
const failedSteps: string[] = [];
for (const step of gate.steps) if (!(await take(step))) failedSteps.push(step.name);
const report = await runTests(gate.tests);
summarise(report);
process.exitCode = report.failed + failedSteps.length === 0 ? 0 : 1;

async function take(step: Step): Promise<boolean> {
  const startedAt = performance.now();
  const output = step.onTerminal ? "inherit" : "pipe";
  const child = Bun.spawn([...step.command], {
    stdin: step.onTerminal ? "inherit" : "ignore",
    stdout: output,
    stderr: output,
    timeout: runTimeoutMs,
  });
  const said = await Promise.all([child.stdout, child.stderr].map((stream) => new Response(stream).text()));
  const good = (await child.exited) === 0;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  say(`${good ? "ok    " : "FAILED"} ${step.name} (${seconds} s)`);
  if (!good) say(said.join("\n").trim());
  return good;
}

async function runTests(selection: readonly string[]): Promise<TestReport> {
  const folder = await makeTempFolder("post-msg-gate-");
  const file = join(folder.path, "junit.xml");
  try {
    const reporter = ["--reporter=junit", `--reporter-outfile=${file}`];
    // CI: a forgotten test.only is an error there, and no snapshot is written unasked.
    const code = await runInGroup([bun, "test", `--timeout=${testTimeoutMs}`, ...reporter, ...selection]);
    const report = readTestReport(await Bun.file(file).text());
    if (code !== 0 && report.failed === 0) {
      failedSteps.push(`the test run (exit code ${code}; coverage under the floor, or an error outside of any test)`);
    }
    return report;
  } catch (error) {
    failedSteps.push(`the test run (no usable report: ${error instanceof Error ? error.message : error})`);
    return { passed: 0, failed: 0, skipped: [] };
  } finally {
    await folder.remove();
  }
}

/** In a process group of its own, so that nothing that a test started outlives a run that hangs or is interrupted. */
async function runInGroup(command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, CI: "true" },
    detached: true,
  });
  const end = (signal: NodeJS.Signals) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The whole group is gone already.
    }
  };
  const interrupt = () => end("SIGTERM");
  const timer = setTimeout(() => end("SIGKILL"), runTimeoutMs);
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return await child.exited;
  } finally {
    clearTimeout(timer);
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    end("SIGKILL");
  }
}

function summarise({ passed, failed, skipped }: TestReport): void {
  say("");
  for (const name of failedSteps) say(`failed: ${name}`);
  if (skipped.length > 0) say(`${skipped.length} skipped: ${skipped.join("; ")}`);
  say(`${passed} passed, ${failed + failedSteps.length} failed`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
