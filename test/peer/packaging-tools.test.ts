/** What goes into a package, judged by the tools that are made for it. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeDocuments } from "../../packaging/documents/write.ts";
import { hostSettings, sections } from "../../src/config/settings.ts";
import { runToEnd } from "../support/child-process.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

const root = join(import.meta.dir, "../..");
const documents = makeDocuments({ version: "1.2.3", date: "2026-11-28" });
const keys = Object.values({ ...sections, hosts: hostSettings }).flatMap((settings) => Object.keys(settings));

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

test.each(["man/post-msg.1", "man/post-msg.toml.5"])("%s is a manual page without a warning", async (name) => {
  const page = await folder.write("page.man", documents[name] ?? "");
  expect(await runToEnd(["mandoc", "-T", "lint", "-W", "warning", page])).toBe("");
});

test("the manual pages name every command, option, exit code and setting", async () => {
  const render = async (name: string) =>
    runToEnd(["mandoc", "-T", "utf8", "-O", "width=400", await folder.write("page.man", documents[name] ?? "")]);
  // What is bold is struck over itself.
  const plain = (page: string) => page.replaceAll(RegExp(`.${String.fromCharCode(8)}`, "g"), "");
  const program = plain(await render("man/post-msg.1"));
  for (const words of ["post-msg serve [-c file]", "post-msg check [-c file]", "-V, --version", "post-msg 1.2.3"])
    expect(program).toContain(words);
  for (const code of [0, 2, 69, 70, 75]) expect(program).toMatch(RegExp(`^ +${code} +\\S`, "m"));
  const configuration = plain(await render("man/post-msg.toml.5"));
  for (const key of keys) expect(configuration).toMatch(RegExp(`^ +${key}( = .*)?$`, "m"));
});

test("a reload checks the file that the unit serves, and only then sends the signal", async () => {
  const unit = await Bun.file(join(root, "packaging/post-msg.service")).text();
  const [, served] = /^ExecStart=\S+ serve --config (\S+)$/m.exec(unit) ?? [];
  const reloads = Array.from(unit.matchAll(/^ExecReload=(.*)$/gm), ([, command]) => command);
  expect(reloads).toEqual([
    // `$MAINPID` inside of a word would not be replaced.
    `+/usr/bin/nsenter --target=\${MAINPID} --mount -- /usr/bin/post-msg check --config ${served}`,
    "/bin/kill -HUP $MAINPID",
  ]);
});

test("the unit exposes no more than 1.5 in systemd's own judgement, and has nothing that systemd does not understand", async () => {
  const unit = join(root, "packaging/post-msg.service");
  const command = ["systemd-analyze", "security", "--offline=true", "--no-pager", unit];
  // Its output has colours and pictures where the environment lets it.
  const env = { ...process.env, SYSTEMD_COLORS: "0", LC_ALL: "C" };
  const output = await runToEnd(command, { env });
  const [, exposure] = /Overall exposure level for post-msg\.service: (\d+\.\d) /.exec(output) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(1.5);
  expect(output).not.toMatch(/Unknown|Invalid|ignoring/);
});
