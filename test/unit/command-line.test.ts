/** The command line in this process: that each command is handed what it was called with, and its exit code is the end's. */

import { expect, test } from "bun:test";
import { createProgram, type Doors, runCommandLine } from "../../src/cli/command-line.ts";
import { makeWritingProcess } from "../support/fake-process.ts";

function makeDoors() {
  const { process, written } = makeWritingProcess();
  const unused = () => {
    throw new Error("Neither a terminal nor an app is needed.");
  };
  const doors: Doors = {
    process,
    terminal: { colour: false, columns: undefined, askPassword: undefined, readDescriptor: unused },
    loadStart: unused,
    loadDoctor: unused,
  };
  return { written, doors };
}

const { doors: noDoors } = makeDoors();
const commands = createProgram(noDoors, () => {}).commands;
const readers = commands.filter(({ options }) => options.some(({ long }) => long === "--config"));

test.each(readers.map((command) => command.name()))(
  "%s reads the configuration that is named, and names it where there is none",
  async (name) => {
    const { written, doors } = makeDoors();
    expect(await runCommandLine([name, "--config", "/nowhere/post-msg.toml"], doors)).toBe(2);
    expect(written).toEqual({
      output: "",
      errors: expect.stringMatching(/^\/nowhere\/post-msg\.toml: must be a readable configuration file; there is no/),
    });
  },
);

test.each([
  [["--version"], 0, /^post-msg \d/, /^$/],
  [["help", "serve"], 0, /^Usage: post-msg serve/, /^$/],
  [["serve", "--nonsense"], 2, /^$/, /^error: unknown option '--nonsense'/],
  [[], 2, /^$/, /^Usage: post-msg/],
])("%j ends with %d", async (args, code, output, errors) => {
  const { written, doors } = makeDoors();
  expect(await runCommandLine(args, doors)).toBe(code);
  expect(written.output).toMatch(output);
  expect(written.errors).toMatch(errors);
});
