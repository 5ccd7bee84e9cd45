/** What `post-msg check` makes of its options, and of a configuration, before any server is asked. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { type CheckDoors, type CheckOptions, check } from "../../src/cli/check.ts";
import { askWithoutEcho, type RawInput, readDescriptor, type Terminal } from "../../src/cli/terminal.ts";
import { makeWritingProcess } from "../support/fake-process.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
let config: string;
let badConfig: string;
beforeAll(async () => {
  folder = await makeTempFolder();
  config = await folder.write("good.toml", `[hosts."a.example"]\n[hosts."b.example"]\n[sessions]\nidle = "1m"\n`);
  badConfig = await folder.write("bad.toml", `[http]\nmax_body = "lots"\n`);
});
afterAll(() => folder.remove());

const noTerminal: Terminal = {
  colour: false,
  columns: undefined,
  askPassword: undefined,
  readDescriptor: () => {
    throw new Error("EBADF: bad file descriptor");
  },
};

/** With a doctor who finds every host as the test says. */
async function run(options: CheckOptions, terminal: Partial<Terminal> = {}, state: "good" | "failed" = "good") {
  const { process, written } = makeWritingProcess();
  const passwords: (string | undefined)[] = [];
  const doors: CheckDoors = {
    process,
    terminal: { ...noTerminal, ...terminal },
    loadDoctor: async () => async (doctor) => {
      passwords.push(doctor.credentials?.password);
      return [...doctor.config.hosts.keys()].map((domain) => ({ domain, state, ms: 1, steps: [] }));
    },
  };
  const code = await check({ config, ...options }, doors);
  return { ...written, code, passwords };
}

describe("a mistake in the options is named:", () => {
  test.each<[CheckOptions, RegExp]>([
    [{ as: "alice" }, /^post-msg: --as must be an account such as alice@example\.com, got "alice"\.$/],
    [{ as: "a@b@c" }, /^post-msg: --as must be an account .*, got "a@b@c": ./],
    [
      { as: "alice@a.example/phone" },
      /^post-msg: --as must be an account without a resource, "alice@a\.example", got /,
    ],
    [
      { as: "alice@c.example" },
      /"c\.example" is not one of the hosts in .*good\.toml, which are "a\.example", "b\.example"\.$/,
    ],
    [{ passwordFd: "0" }, /--as JID, which names it, is missing\.$/],
    [
      { as: "alice@a.example", passwordFd: "x" },
      /--password-fd must be the number of a file descriptor, .* got "x"\.$/,
    ],
    [
      { as: "alice@a.example", passwordFd: "9" },
      /could not be read from file descriptor 9: EBADF: .* --password-fd 9 9<\/path/,
    ],
    [
      { as: "alice@a.example" },
      /There is no terminal to ask for the password of alice@a\.example\. Give it .*--password-fd/,
    ],
  ])("%j", async (options, expected) => {
    const { errors, code, passwords } = await run(options);
    expect(code).toBe(2);
    expect(errors.trimEnd().split("\n").at(-1)).toMatch(expected);
    expect(passwords).toEqual([]);
  });
});

test("a password from a descriptor loses the line break at its end, and nothing else", async () => {
  for (const [given, expected] of [
    ["secret\n", "secret"],
    ["secret\r\n", "secret"],
    [" two words ", " two words "],
    ["a\n\n", "a\n"],
  ] as const) {
    const { passwords } = await run({ as: "alice@a.example", passwordFd: "3" }, { readDescriptor: () => given });
    expect(passwords).toEqual([expected]);
  }
});

test("who gives no password at the question has made a mistake", async () => {
  const { errors, code } = await run({ as: "alice@a.example" }, { askPassword: async () => undefined });
  expect([errors.split("\n").at(-2), code]).toEqual(["post-msg: No password was given.", 2]);
});

test("the exit code is 1 when a host cannot be used", async () => {
  expect((await run({ connect: true })).code).toBe(0);
  expect((await run({ connect: true }, {}, "failed")).code).toBe(1);
});

describe("--json", () => {
  test("has what is wrong with the configuration, and warnings", async () => {
    const bad = await run({ config: badConfig, json: true });
    expect([bad.errors, bad.code]).toEqual(["", 2]);
    expect(JSON.parse(bad.output)).toMatchObject({
      version: 1,
      state: "failed",
      file: badConfig,
      problems: [
        { file: badConfig, line: 2, key: "[http] max_body", rule: expect.any(String), received: '"lots"' },
        { key: "[hosts]" },
      ],
      hosts: [],
    });
    const warned = await run({ json: true });
    expect(JSON.parse(warned.output)).toMatchObject({
      state: "warning",
      problems: [],
      warnings: [{ line: 4, key: "[sessions] idle" }],
      hosts: [],
    });
    expect(warned.code).toBe(0);
  });

  test("has the hosts", async () => {
    const { output, errors, code } = await run({ connect: true, json: true }, {}, "failed");
    expect([errors, code]).toEqual(["", 1]);
    expect(JSON.parse(output)).toMatchObject({
      state: "failed",
      hosts: [{ domain: "a.example" }, { domain: "b.example" }],
    });
  });
});

test("the question on a terminal understands its keys, and puts the terminal back", async () => {
  for (const [typed, expected] of [
    ["secret\r", "secret"],
    ["p\u00e4ss \u{1F511}x\x7f\r", "p\u00e4ss \u{1F511}"],
    ["wrong\x15right\n", "right"],
    ["\x7f\ba\x1b\r", "a"],
    ["abc\x03", undefined],
    ["abc\x04", undefined],
  ] as const) {
    const modes: boolean[] = [];
    let type: ((chunk: Buffer) => void) | undefined;
    const input: RawInput = {
      setRawMode: (raw) => modes.push(raw),
      on: (event: string, listener: (chunk: Buffer) => void) => {
        if (event === "data") type = listener;
      },
      off: () => {
        type = undefined;
      },
      resume: () => {},
      pause: () => {},
    };
    let screen = "";
    const answer = askWithoutEcho("Password: ", input, (text) => {
      // Whoever sees it may type at once.
      if (screen === "") expect([modes, type]).toEqual([[true], expect.any(Function)]);
      screen += text;
    });
    // A character may come in pieces.
    for (const byte of Buffer.from(typed)) type?.(Buffer.of(byte));
    expect(await answer).toBe(expected);
    expect([screen, modes, type]).toEqual(["Password: \n", [true, false], undefined]);
  }
});

test("a descriptor is read to its end, and one that nobody has handed over is not open", async () => {
  const descriptor = openSync(await folder.write("password", "secret\n"), "r");
  expect(readDescriptor(descriptor)).toBe("secret\n");
  closeSync(descriptor);
  expect(() => readDescriptor(1_000_000)).toThrow("it is not open");
});
