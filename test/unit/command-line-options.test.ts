/** What becomes of the options of a command line, and of the exit code of what it ran. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Doors, runCommandLine } from "../../src/cli/command-line.ts";
import { makeSignalledProcess } from "../support/fake-process.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
let config: string;
beforeAll(async () => {
  folder = await makeTempFolder();
  config = await folder.write("post-msg.toml", `[hosts."example.com"]\n[http]\nlisten = "127.0.0.1:0"\n`);
});
afterAll(() => folder.remove());

/** With an app that cannot listen, and a doctor who finds one host that cannot be used. */
async function run(args: readonly string[]) {
  const { process, written } = makeSignalledProcess();
  const asked: (string | undefined)[] = [];
  const doors: Doors = {
    process,
    terminal: {
      colour: false,
      columns: undefined,
      askPassword: async (question) => {
        asked.push(question);
        return "secret";
      },
      readDescriptor: (descriptor) => {
        asked.push(`descriptor ${descriptor}`);
        return "secret\n";
      },
    },
    loadDoctor: async () => async (options) => {
      asked.push(options.credentials?.password);
      return [{ domain: "example.com", state: "failed", ms: 1, steps: [] }];
    },
    loadStart: async () => async () => {
      throw new Error("Could not listen.");
    },
  };
  return { code: await runCommandLine(args, doors), asked, ...written };
}

test("check reads the configuration, and examines hosts where it is told to", async () => {
  expect(await run(["check", "--config", config])).toMatchObject({ code: 0, asked: [] });
  expect(await run(["check", "-c", config, "--connect"])).toMatchObject({ code: 1, asked: [undefined] });
  expect(await run(["check", "-c", config, "--as", "alice@example.com"])).toMatchObject({
    code: 1,
    asked: ["Password of alice@example.com: ", "secret"],
  });
  const { output, asked } = await run([
    ...["check", "-c", config, "--as", "alice@example.com", "--password-fd", "3", "--json"],
  ]);
  expect(asked).toEqual(["descriptor 3", "secret"]);
  expect(JSON.parse(output)).toMatchObject({ state: "failed" });
});

test("serve says why it cannot listen", async () => {
  const { code, errors } = await run(["serve", "--config", config]);
  expect([code, errors]).toEqual([69, expect.stringContaining("Could not listen.")]);
});

test("health has a port to ask, or says that it has none", async () => {
  expect(await run(["health", "--config", config])).toMatchObject({ code: 2 });
  expect(await run(["health", "--live", "--config", "missing.toml"])).toMatchObject({ code: 2 });
});

test("openapi prints the description", async () => {
  const { code, output } = await run(["openapi", "--config", config]);
  expect([code, JSON.parse(output).openapi]).toEqual([0, expect.stringMatching(/^3\.1/)]);
});

test("help is no mistake; a command that does not exist is one, and so is a file without --config", async () => {
  expect(await run(["--help"])).toMatchObject({ code: 0, errors: "" });
  expect(await run(["chekc"])).toMatchObject({ code: 2, errors: expect.stringContaining("Did you mean check?") });
  expect(await run(["check", config])).toMatchObject({
    code: 2,
    errors: expect.stringMatching(/named by --config FILE\.\n$/),
  });
});
