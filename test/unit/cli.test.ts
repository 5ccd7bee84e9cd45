/** The command line as a user meets it: the real program, its output and its exit code. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import manifest from "../../package.json" with { type: "json" };
import { startChild } from "../support/child-process.ts";
import { findFreePort } from "../support/free-port.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { within } from "../support/wait.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;
const deadlineMs = 10_000;

let folder: TempFolder;
let empty: TempFolder;
beforeAll(async () => {
  [folder, empty] = await Promise.all([makeTempFolder(), makeTempFolder()]);
  await folder.write("post-msg.toml", `[hosts."example.com"]\n[http]\nlisten = "127.0.0.1:0"\n`);
  await folder.write("bad.toml", `[http]\nlisten = 1\nmax_body = "lots"\n`);
  await folder.write("two.toml", `[sessions]\nidle = "1m"\n[hosts."a.example"]\n[hosts."b.example"]\n`);
});
afterAll(() => Promise.all([folder.remove(), empty.remove()]));

async function run(args: readonly string[], cwd = folder.path) {
  const child = Bun.spawn([process.execPath, main, ...args], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  try {
    const [output, errors, code] = await within(
      deadlineMs,
      "the program to end",
      Promise.all([child.stdout.text(), child.stderr.text(), child.exited]),
    );
    return { output, errors, code };
  } finally {
    child.kill("SIGKILL");
  }
}

test("--version prints the version of package.json", async () => {
  expect(await run(["--version"])).toEqual({ output: `post-msg ${manifest.version}\n`, errors: "", code: 0 });
});

test.each([
  [
    ["--help"],
    /Commands:[\s\S]*serve[\s\S]*check[\s\S]*Example:\n {2}echo [\s\S]*post-msg check[\s\S]*post-msg serve[\s\S]*Exit codes:/,
  ],
  [["serve", "--help"], /--config <file>[\s\S]*Example:\n[\s\S]*post-msg serve --config[\s\S]*curl[\s\S]*Exit codes:/],
  [["check", "--help"], /--config <file>[\s\S]*Example:\n {2}post-msg check --config/],
  [["health", "--help"], /--live +ask whether it lives: at a stop[\s\S]*if\s+reuse_port is set/],
  [["help", "check"], /Example:\n {2}post-msg check --config/],
])("%j explains with an example", async (args, expected) => {
  const { output, errors, code } = await run(args);
  expect([errors, code]).toEqual(["", 0]);
  expect(output).toMatch(expected);
});

test.each([
  [["srve"], "error: unknown command 'srve'\n(Did you mean serve?)\n"],
  [["serve", "--confg", "x"], "error: unknown option '--confg'\n(Did you mean --config?)\n"],
  [["--versoin"], "error: unknown option '--versoin'\n(Did you mean --version?)\n"],
  [
    ["-v"],
    "error: unknown option '-v'\n(post-msg --help shows the way)\nThe version is printed by -V, or --version.\n",
  ],
  [["frobnicate"], "error: unknown command 'frobnicate'\n(post-msg --help shows the way)\n"],
  [["check", "--config"], "error: option '-c, --config <file>' argument missing\n"],
  [
    ["check", "post-msg.toml"],
    "error: too many arguments for 'check'. Expected 0 arguments but got 1: post-msg.toml.\n(post-msg --help shows the way)\nA configuration is named by --config FILE.\n",
  ],
  [[], "Usage: post-msg [options] [command]\n"],
])("%j is a mistake, exit code 2", async (args, expected) => {
  const { output, errors, code } = await run(args);
  expect([output, code]).toEqual(["", 2]);
  expect(errors).toStartWith(expected);
});

test("check finds post-msg.toml by itself and says what it found", async () => {
  expect(await run(["check"])).toEqual({
    output: "post-msg.toml is good: 1 host, listens on 127.0.0.1:0\n",
    errors: "",
    code: 0,
  });
});

test("check counts hosts and tells warnings, which are no mistakes", async () => {
  const { output, errors, code } = await run(["check", "--config", "two.toml"]);
  expect([output, code]).toEqual(["two.toml is good: 2 hosts, listens on 127.0.0.1:5280\n", 0]);
  expect(errors).toMatch(/^two\.toml:2: \[sessions\] idle: .* \(warning\)\n$/);
});

test.each(["check", "serve"])("%s tells all problems, one a line, exit code 2", async (command) => {
  const { output, errors, code } = await run([command, "--config", "bad.toml"]);
  expect([output, code]).toEqual(["", 2]);
  expect(errors.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^bad\.toml:2: \[http\] listen: must be .*, got 1$/),
    `bad.toml:3: [http] max_body: must be a size such as "64KiB", got "lots"`,
    expect.stringMatching(/^bad\.toml:3: \[hosts\]: must allow at least one domain/),
  ]);
});

test("a configuration that was named and does not exist is a mistake", async () => {
  const { errors, code } = await run(["check", "--config", "missing.toml"]);
  expect([errors, code]).toEqual(["missing.toml: must be a readable configuration file; there is no such file\n", 2]);
});

test("serve tells its URL, serves there, and ends with 0 at SIGTERM", async () => {
  const child = startChild([process.execPath, main, "serve"], { cwd: folder.path });
  try {
    await child.says(/listens on/, deadlineMs);
    const url = /^post-msg \S+ listens on (http:\/\/127\.0\.0\.1:\d+\/msg)$/m.exec(child.output())?.[1] ?? "";
    expect((await fetch(url, { method: "POST", body: "hello" })).status).toBe(401);
    process.kill(child.pid, "SIGTERM");
    expect(await within(deadlineMs, "serve to end", child.exited)).toBe(0);
  } finally {
    await child.kill();
  }
});

test.each([3, 99])("a password from descriptor %d, which nobody has opened, is told as that", async (descriptor) => {
  const file = await folder.write("password.toml", `[hosts."example.com"]\n`);
  const { errors, code } = await run([
    ...["check", "--config", file, "--as", "alice@example.com", "--password-fd", `${descriptor}`],
  ]);
  expect([errors, code]).toEqual([
    `post-msg: The password of alice@example.com could not be read from file descriptor ${descriptor}: it is not open. A file is handed over like this: --password-fd ${descriptor} ${descriptor}</path/of/a/file\n`,
    2,
  ]);
});

test("serve without a configuration says in which folder it looked", async () => {
  const empty = await makeTempFolder();
  try {
    const { errors, code } = await run(["serve"], empty.path);
    expect(code).toBe(2);
    expect(errors).toStartWith(
      `post-msg: there is no configuration: neither ${empty.path}/post-msg.toml nor /etc/post-msg/post-msg.toml exists,`,
    );
    expect(errors).toContain(`Write this line to ${empty.path}/post-msg.toml,`);
  } finally {
    await empty.remove();
  }
});

test("serve on an address that is taken says so and ends with 69", async () => {
  const port = await findFreePort();
  const holder = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
  try {
    const file = await folder.write("taken.toml", `[hosts."example.com"]\n[http]\nlisten = "127.0.0.1:${port}"\n`);
    const { output, errors, code } = await run(["serve", "--config", file]);
    expect([output, code]).toEqual(["", 69]);
    expect(errors).toStartWith(`Could not listen on "127.0.0.1:${port}", as [http] listen says: `);
    expect(errors).toContain(`ss -ltnp 'sport = :${port}'`);
    expect(errors).toEndWith(`change the address in "${file}".\n`);
    expect(errors.trimEnd().split("\n")).toHaveLength(1);
  } finally {
    holder.stop(true);
  }
});

test.each([
  ["exception", `throw new Error("boom")`],
  ["rejection", `Promise.reject(new Error("boom"))`],
])("an unforeseen %s while serving is logged with its stack, and ends serve with 70", async (_, statement) => {
  const preload = await folder.write("boom.ts", `process.on("SIGUSR2", () => { ${statement}; });`);
  const child = startChild([process.execPath, "--preload", preload, main, "serve"], { cwd: folder.path });
  try {
    await child.says(/listens on/, deadlineMs);
    process.kill(child.pid, "SIGUSR2");
    expect(await within(deadlineMs, "serve to end", child.exited)).toBe(70);
    await child.says(/"level":"error".*Error: boom\\n\s+at .*boom\.ts/, deadlineMs);
  } finally {
    await child.kill();
  }
});
