/** README and docs/: what can be pasted is run by a test, what is linked is there, and nothing that has to be there is missing. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { exists, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatProblem } from "../../src/config/problem.ts";
import { loadConfig } from "../../src/config.ts";
import { type Code, codes } from "../../src/errors.ts";
import { statuses } from "../../src/http/problem.ts";
import { makeAuthority } from "../support/ca.ts";
import { runToEnd } from "../support/child-process.ts";
import {
  type CodeBlock,
  findAnchors,
  findBlocks,
  findDocuments,
  findLinks,
  ownRuns,
  projectFolder,
  readBlocks,
  readDocument,
} from "../support/documents.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

/** Who runs the blocks of a language; undefined: they show something, and nobody would paste them. */
const runners: Readonly<Record<string, string | undefined>> = {
  sh: "test/server/docs-commands.test.ts",
  cron: "test/server/docs-commands.test.ts",
  toml: "test/unit/docs.test.ts",
  nginx: "test/server/docs-proxies.test.ts",
  caddy: "test/server/docs-proxies.test.ts",
  haproxy: "test/server/docs-proxies.test.ts",
  python: "test/server/docs-devices.test.ts",
  c: "test/server/docs-devices.test.ts",
  ini: "test/unit/docs.test.ts",
  text: undefined,
  json: undefined,
};

/** The beginning of a line of shell or TOML. */
const pasteable = /^(\$ |sudo |curl |wget |make |apt |apt-get |systemctl |kill |\.?\/?post-msg |\[[a-z]+[\].])/m;

const blocks = await readBlocks();
const placeOf = ({ file, line }: CodeBlock) => `${file}:${line}`;

test("every code block says what it is, so that what can be pasted is run: ```sh, ```toml, or ```text for what is only shown", async () => {
  expect(blocks.length).toBeGreaterThan(10);
  const unknown = blocks.filter(({ language }) => language !== undefined && !Object.hasOwn(runners, language));
  expect(unknown.map(placeOf)).toEqual([]);
  const unmarked = blocks.filter(({ language, text }) => (language ?? "text") === "text" && pasteable.test(text));
  expect(unmarked.filter(({ text }) => !ownRuns.test(text)).map(placeOf)).toEqual([]);
  for (const file of new Set(Object.values(runners))) {
    if (file !== undefined) expect(await exists(join(projectFolder, file)), file).toBe(true);
  }
});

test("blocks are found, fenced and indented, and links and anchors", () => {
  const text =
    "# A b: `c`!\n\n    one\n\n    two\n\nsee [x](y.md#z), [w](https://w) and [q](#a-b-c)\n```sh\nthree\n```\n";
  expect(findBlocks("f", text)).toEqual([
    { file: "f", line: 3, language: undefined, text: "one\n\ntwo\n" },
    { file: "f", line: 9, language: "sh", text: "three\n" },
  ]);
  expect(findBlocks("f", "- one\n\n  ```ini\n  [a]\n    b\n  ```\n")).toEqual([
    { file: "f", line: 4, language: "ini", text: "[a]\n  b\n" },
  ]);
  expect(findLinks(text)).toEqual([
    { path: "y.md", anchor: "z" },
    { path: "", anchor: "a-b-c" },
  ]);
  expect(findAnchors(text)).toEqual(["a-b-c"]);
});

test.each([...(await findDocuments()), "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"])(
  "every link in %s leads somewhere",
  async (file) => {
    const dead: string[] = [];
    for (const { path, anchor } of findLinks(await readDocument(file))) {
      const target = path === "" ? file : join(dirname(file), path);
      const there = await exists(join(projectFolder, target));
      const found = there && (anchor === undefined || findAnchors(await readDocument(target)).includes(anchor));
      if (!found) dead.push(`${path}#${anchor}`);
    }
    expect(dead).toEqual([]);
  },
);

test("README stays within 200 lines, and every document of docs/ is linked from it", async () => {
  const readme = await readDocument("README.md");
  expect(readme.split("\n").length).toBeLessThanOrEqual(201);
  const linked = findLinks(readme).map(({ path }) => path);
  expect((await findDocuments()).filter((file) => file !== "README.md" && !linked.includes(file))).toEqual([]);
});

test("docs/troubleshooting.md has each problem code once, with its status", async () => {
  const rows = Array.from(
    (await readDocument("docs/troubleshooting.md")).matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| .* \| .*\|$/gm),
    ([, code = "", status]) => [code, Number(status)] as const,
  );
  const wanted = codes.map((code: Code) => [code, statuses[code]] as const);
  expect([...rows].sort()).toEqual([...wanted].sort());
});

describe("as a configuration,", () => {
  let folder: TempFolder;
  beforeAll(async () => {
    folder = await makeTempFolder();
    const authority = await makeAuthority();
    const { certificatePem, keyPem } = await authority.issue({ dnsNames: ["msg.example.com"] });
    await folder.write("cert.pem", certificatePem);
    await folder.write("key.pem", keyPem);
  });
  afterAll(() => folder.remove());

  test.each(blocks.filter(({ language }) => language === "toml").map((block) => [placeOf(block), block] as const))(
    "%s is good",
    async (_, { text }) => {
      const pem = (_match: string, path: string) => join(folder.path, /key/.test(path) ? "key.pem" : "cert.pem");
      const here = text.replaceAll(/(?<=")(\/[^"]*\.(?:pem|crt|key))(?=")/g, pem);
      // A part of a file; one host is needed.
      const whole = /^\[hosts\./m.test(here) ? here : `${here}\n[hosts."example.com"]\n`;
      const loaded = await loadConfig(await folder.write("post-msg.toml", whole));
      expect("problems" in loaded ? loaded.problems.map(formatProblem) : []).toEqual([]);
    },
  );
});

test.each(blocks.filter(({ language }) => language === "ini").map((block) => [placeOf(block), block] as const))(
  "%s is a drop-in that systemd understands, for the unit of the package",
  async (_, { text }) => {
    const folder = await makeTempFolder();
    try {
      const unit = await Bun.file(join(projectFolder, "packaging/post-msg.service")).text();
      await folder.write("post-msg.service", unit.replace("/usr/bin/post-msg", process.execPath));
      await mkdir(join(folder.path, "post-msg.service.d"));
      await folder.write("post-msg.service.d/override.conf", text);
      const command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no"];
      const output = await runToEnd([...command, join(folder.path, "post-msg.service")]);
      // What it does not understand, it ignores, and says so.
      expect(output).toBe("");
    } finally {
      await folder.remove();
    }
  },
);
