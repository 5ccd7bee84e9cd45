/**
 * Every block of shell in README and docs/, as somebody pastes it: run by sh, in a folder with a configuration, in front of
 * a real gateway and a real Prosody. Addresses and paths that belong to somebody else's machine are replaced, nothing else.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { runToEnd } from "../support/child-process.ts";
import { type CodeBlock, onOwnMachine, ownRuns, projectFolder, readBlocks } from "../support/documents.ts";
import { findFreePort } from "../support/free-port.ts";
import { type Binary, startBinary } from "../support/gateway.ts";
import { type Prosody, startProsody } from "../support/prosody.ts";
import { logInReceiver } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { eventually, within } from "../support/wait.ts";

const deadlineMs = 60_000;
const executable = join(projectFolder, "post-msg");
const commands = (await readBlocks()).filter(
  ({ file, language, text }) =>
    (language === "sh" || language === "cron") && !ownRuns.test(text) && !onOwnMachine.includes(file),
);

let prosody: Prosody;
let gateway: Binary;
let bob: Receiver;
let tools: TempFolder;
/** One for each document: what a block leaves behind, the next one finds. */
const folders = new Map<string, TempFolder>();

beforeAll(async () => {
  const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
  prosody = await startProsody({ accounts, roomsDomain: "conference.example.com" });
  gateway = await startBinary({
    hosts: { "example.com": { connect: `xmpp://127.0.0.1:${prosody.c2sPort}`, ca: prosody.authority } },
  });
  bob = await logInReceiver(prosody, "bob@example.com");
  tools = await makeTempFolder("post-msg-tools-");
  await mkdir(join(tools.path, "bin"));
  await symlink(executable, join(tools.path, "bin/post-msg"));
  await program("sudo", `exec "$@"`);
  await program("make", `exec /usr/bin/make --no-print-directory -C '${projectFolder}' "$@"`);
}, deadlineMs);

afterAll(async () => {
  await bob?.close();
  await gateway?.stop();
  await prosody?.stop();
  await tools?.remove();
  for (const folder of folders.values()) await folder.remove();
});

async function program(name: string, script: string): Promise<void> {
  await chmod(await tools.write(`bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
}

async function folderOf(document: string): Promise<TempFolder> {
  const existing = folders.get(document);
  if (existing !== undefined) return existing;
  const folder = await makeTempFolder("post-msg-docs-");
  folders.set(document, folder);
  await symlink(executable, join(folder.path, "post-msg"));
  await folder.write("alice.password", "secret\n");
  const http = preludes[document] === undefined ? `listen = "127.0.0.1:0"` : await takenOver();
  await folder.write("post-msg.toml", here(`[http]\n${http}\n\n[hosts."example.com"]\n`));
  // So that curl's exit code tells a refusal, also where a reader would see it on the screen.
  await folder.write(".curlrc", "fail-with-body\nsilent\nshow-error\n");
  return folder;
}

/** What stands before a block in the reader's life. */
const preludes: Readonly<Record<string, string>> = {
  "docs/front-door.md": "post-msg serve --config post-msg.toml & OLD=$!",
};

/** On this machine instead of the reader's. */
function here(text: string): string {
  const host = `[hosts."example.com"]\nconnect = "xmpp://127.0.0.1:${prosody.c2sPort}"\nca_file = "${prosody.caFile}"`;
  return text
    .replaceAll(/(?:127\.0\.0\.1|192\.0\.2\.10):5280\b/g, `127.0.0.1:${gateway.port}`)
    .replaceAll("https://msg.example.com", `http://127.0.0.1:${gateway.port}`)
    .replaceAll(/\[hosts\."example\.com"\](?!\nconnect)/g, host)
    .replaceAll("/usr/local/bin", join(tools.path, "bin"));
}

async function takenOver(): Promise<string> {
  return `listen = "127.0.0.1:${await findFreePort()}"\nreuse_port = true`;
}

/** cron starts a line with its five times. */
function commandOf({ language, text }: CodeBlock): string {
  return language === "cron" ? text.replaceAll(/^(?:\S+ ){5}/gm, "") : text;
}

interface Run {
  readonly output: string;
  readonly code: number | string;
}

async function run(command: string, folder: TempFolder): Promise<Run> {
  const chunks: Buffer[] = [];
  const output = () => Buffer.concat(chunks).toString();
  // A terminal: some commands ask there.
  const child = Bun.spawn(["sh", "-eu", "-c", command], {
    cwd: folder.path,
    env: { ...process.env, HOME: folder.path, PATH: `${tools.path}/bin:${process.env["PATH"]}`, LC_ALL: "C.UTF-8" },
    terminal: { cols: 200, rows: 50, data: (_terminal, bytes) => void chunks.push(Buffer.from(bytes)) },
  });
  const ended = child.exited.then((code) => child.signalCode ?? code);
  try {
    if (asksForPassword(command)) {
      await eventually(() => output().includes("Password of "), deadlineMs, "the question for a password");
      child.terminal?.write("secret\r");
    }
    if (serves(command)) {
      await eventually(
        () => /^post-msg \S+ listens on \S+/m.test(output()),
        deadlineMs,
        `${command} to listen; it said ${output()}`,
      );
      child.kill("SIGTERM");
    }
    const code = await within(deadlineMs, command, ended);
    return { output: output(), code };
  } finally {
    endGroup(child.pid);
    child.terminal?.close();
  }
}

/** What a block has left running, too: with a terminal of its own it is a session of its own. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

const asksForPassword = (command: string) => /check --as (?!.*--password-fd)/.test(command);
/** As the last command, in the foreground; sh then becomes it. */
const serves = (command: string) => /post-msg serve[^&\n]*\n?$/.test(command);

/** The examples of `--help`, in the order in which they stand there. */
async function examplesOf(command: readonly string[]): Promise<readonly string[]> {
  const help = await runToEnd([executable, ...command, "--help"]);
  const [, lines = ""] = /^Example:\n((?: {2}.*\n)+)/m.exec(help) ?? [];
  return lines
    .replaceAll(/ \\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** As --help lists them; help itself needs no example. */
const commandNames = Array.from(
  Bun.spawnSync([executable, "--help"])
    .stdout.toString()
    .split("Commands:")[1]
    ?.matchAll(/^ {2}([a-z]+) /gm) ?? [],
  ([, name = ""]) => name,
).filter((name) => name !== "help");

test.each([[[]], ...commandNames.map((name) => [[name]])])(
  "the examples of post-msg %j --help",
  async (command) => {
    const folder = await folderOf(`help ${command}`);
    const examples = await examplesOf(command);
    expect(examples.length).toBeGreaterThan(0);
    // Where the running one listens; two may do so.
    const asked = here(`[http]\nlisten = "127.0.0.1:5280"\n[hosts."example.com"]\n`);
    await folder.write("running.toml", asked);
    await folder.write("free.toml", asked.replace(/:\d+"/, ':0"'));
    for (const example of examples) {
      const file = join(folder.path, example.includes("health") ? "running.toml" : "free.toml");
      const line = here(example)
        .replaceAll("/etc/post-msg/post-msg.toml", file)
        .replaceAll("/root/alice.password", "alice.password")
        // One that was not written for this machine has a port of its own.
        .replace(/^post-msg serve(?! --config)/, "post-msg serve --config free.toml")
        .replace("serve --config post-msg.toml", "serve --config free.toml");
      const { output, code } = await run(serves(line) ? `exec ${line}` : line, folder);
      expect(code, `${line}\n${output}`).toBe(0);
    }
  },
  deadlineMs,
);

test("there are commands to run", () => {
  expect(commands.length).toBeGreaterThan(10);
});

test.each(commands.map((block) => [`${block.file}:${block.line}`, block] as const))(
  "%s",
  async (_, block) => {
    const command = commandOf(block);
    // What was sent before is nobody's.
    const before = bob.waiting.length;
    const prelude = preludes[block.file] ?? "";
    const inPlace = serves(command) ? command.replace(/(\S*post-msg serve[^\n]*)\n?$/, "exec $1") : command;
    const script = `${prelude}\n${here(inPlace)}`;
    const { output, code } = await run(script, await folderOf(block.file));
    expect(code, `${script}\n${output}`).toBe(0);
    const messages = command.match(/(?:127\.0\.0\.1:5280|msg\.example\.com)\/(?:msg|rest)\b/g)?.length ?? 0;
    if (messages > 0 && /bob/.test(command)) {
      await eventually(
        () => bob.waiting.length >= before + messages,
        10_000,
        `${messages} messages for bob; ${output}`,
      );
    }
  },
  deadlineMs,
);
