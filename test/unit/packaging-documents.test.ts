/** What is made from the program's own tables: the sample configuration, the manual pages, the completions. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { completions } from "../../packaging/documents/completions.ts";
import { makeDocuments } from "../../packaging/documents/write.ts";
import { version } from "../../packaging/version.ts";
import { hostSettings, sections } from "../../src/config/settings.ts";
import { loadConfig } from "../../src/config.ts";
import { runToEnd } from "../support/child-process.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

const documents = makeDocuments({ version: "1.2.3", date: "2026-11-28" });
const sample = documents["post-msg.toml"] ?? "";
const keys = Object.entries({ ...sections, hosts: hostSettings }).flatMap(([section, settings]) =>
  Object.entries(settings).map(([key, setting]) => ({ section, key, setting })),
);

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

const load = async (text: string) => loadConfig(await folder.write("post-msg.toml", text));

test("the sample configuration is good as it is, and means the defaults", async () => {
  const loaded = await load(sample);
  expect(loaded).toEqual(await load(`[hosts."example.com"]\n`));
  expect("config" in loaded && loaded.warnings).toEqual([]);
});

test("the sample configuration has every setting once, each under a comment of its own", () => {
  const [settings = ""] = sample.split("\n[aliases]\n");
  const lines = settings.split("\n");
  expect(lines.filter((line) => /^#?[a-z_]+ = /.test(line))).toHaveLength(keys.length);
  for (const { key } of keys) {
    const index = lines.findIndex((line) => line.startsWith(`#${key} = `));
    expect([key, lines[index - 1]]).toEqual([key, expect.stringMatching(/^# \S/)]);
  }
  expect(lines.filter((line) => line.length > 100 && line.includes(" "))).toEqual([]);
});

test.each(keys)("the sample configuration is good with [$section] $key taken out of its comment", async (place) => {
  // These three want something beside them: another setting, a file.
  const besides = { insecure_plaintext: `connect = "xmpp://127.0.0.1"\n`, ca_file: "", tls_cert: "", tls_key: "" };
  const text = uncomment(place.section, place.key);
  const added = Object.entries(besides).find(([key]) => key === place.key)?.[1] ?? "";
  const loaded = await load(text.replace(`[hosts."example.com"]\n`, (table) => table + added));
  const problems = "problems" in loaded ? loaded.problems : [];
  const allowed = place.key in besides && added === "" ? 1 : 0;
  expect(problems.filter(({ rule }) => !/no such file|tls_/.test(rule))).toEqual([]);
  expect(problems.length).toBeLessThanOrEqual(allowed);
});

test("the alias in the sample configuration is a good one", async () => {
  const loaded = await load(sample.replace("\n#oncall", "\noncall"));
  expect("config" in loaded && [...loaded.config.aliases.keys()]).toEqual(["oncall"]);
});

function uncomment(section: string, key: string): string {
  const table = section === "hosts" ? `[hosts."example.com"]` : `[${section}]`;
  const [before = "", after = ""] = sample.split(`${table}\n`);
  return `${before}${table}\n${after.replace(`\n#${key} = `, `\n${key} = `)}`;
}

const commands = ["serve", "check"];

test.each([
  [
    ["post-msg", ""],
    [...commands, "help", "-V", "--version", "-h", "--help"],
  ],
  [["post-msg", "s"], ["serve"]],
  [["post-msg", "help", "c"], ["check"]],
  [
    ["post-msg", "serve", "-"],
    ["-c", "--config", "-h", "--help"],
  ],
  [["post-msg", "serve", "--config", "po"], ["post-msg.bash"]],
])("bash completes %j", async (words, offered) => {
  await folder.write("post-msg.bash", completions().bash);
  const script = `source ./post-msg.bash
compopt() { :; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_post_msg; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = await runToEnd(["bash", "--norc", "-c", script], { cwd: folder.path });
  const shown = child.trim().split("\n");
  expect(shown).toEqual(expect.arrayContaining(offered));
});

test.each([
  [[], "2.0.0-dev.1."],
  [["git tag v1.9.0"], "1.9.0"],
  [["git tag v1.9.0", "git commit -q --allow-empty -m two"], "2.0.0-dev.1.g"],
  [["git tag v2.0.0", "git commit -q --allow-empty -m two"], "2.0.0+1.g"],
  [["git tag nightly"], "2.0.0-dev.1.g"],
])("after %j the version begins with %s", async (steps, expected) => {
  const repository = await makeTempFolder();
  const author = "git config user.name A; git config user.email a@example.com";
  const begin = `git init -q .; ${author}; echo 1 >file; git add file; git commit -q -m one`;
  await runToEnd(["sh", "-ec", [begin, ...steps].join("\n")], { cwd: repository.path });
  const found = version(repository.path, "2.0.0");
  expect(found).toStartWith(expected);
  expect(/^\d+\.\d+\.\d+$/.test(expected) ? found : "").toBe(/^\d+\.\d+\.\d+$/.test(expected) ? expected : "");
  await Bun.write(join(repository.path, "file"), "2\n");
  expect(version(repository.path, "2.0.0")).toEndWith(".dirty");
  await repository.remove();
});

test("where there is no git, the version is the planned one", () => {
  expect(version(folder.path, "2.0.0")).toBe("2.0.0");
});
