/** docs/settings.md is what the program's own table of settings says. */

import { expect, test } from "bun:test";
import { settingsFile, settingsPage } from "../support/settings-table.ts";

test("docs/settings.md is up to date; `make docs` writes it", async () => {
  expect(await Bun.file(settingsFile).text()).toBe(settingsPage());
});

test("the page has every section, with defaults as they are written in the file", () => {
  const page = settingsPage();
  expect(page).toContain("## [http]\n");
  expect(page).toContain(`| \`listen\` | \`"127.0.0.1:5280"\` | Where to listen:`);
  expect(page).toContain(`## [hosts."example.com"]\n`);
  expect(page).toContain("| `connect` | none |");
});
