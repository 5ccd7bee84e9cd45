/**
 * docs/settings.md, made from the settings' own schema, so that no document can say something else than the program does:
 * `make docs` writes it, and a test fails when it is not what it would write.
 */

import { join } from "node:path";
import { hostSettings, type Setting, type Settings, sections } from "../../src/config/settings.ts";

export const settingsFile = join(import.meta.dir, "../../docs/settings.md");

const introduction = `# Settings

The configuration is a TOML file. Durations are written "10s", "15m" or "1h", sizes "64KiB". A key that does not exist is an
error that names the nearest one, or all that there are, and \`post-msg check\` tells all mistakes at once, with their lines. A
file needs one host; everything else has a default. What is marked with ↻, every setting of a host and the aliases take effect
at SIGHUP; the rest when post-msg starts again. This page is made from the program's own table by \`make docs\`.
`;

const aliases = `## [aliases]

A name for several recipients, used as \`/msg/@oncall\` or in \`to\`. Members are addresses, and no other aliases.

\`\`\`toml
[aliases]
oncall = ["alice@example.com", "ops@conference.example.com"]
\`\`\`
`;

export function settingsPage(): string {
  const tables = Object.entries(sections).map(([name, settings]) => table(`[${name}]`, settings));
  return [introduction, ...tables, aliases, table(`[hosts."example.com"]`, hostSettings)].join("\n");
}

function table(heading: string, settings: Settings): string {
  const rows = Object.entries(settings).map(
    ([key, setting]) => `| \`${key}\`${setting.reloads ? " ↻" : ""} | ${defaultOf(setting)} | ${help(setting)} |`,
  );
  return `## ${heading}\n\n| setting | default | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

/** Lists and numbers of JSON are TOML's too. */
function defaultOf(setting: Setting): string {
  return setting.default === undefined ? "none" : `\`${JSON.stringify(setting.default)}\``;
}

function help({ help: text, example }: Setting): string {
  const shown = example === undefined ? "" : ` For example \`${JSON.stringify(example)}\`.`;
  return (text + shown).replaceAll("|", "\\|");
}

if (import.meta.main) await Bun.write(settingsFile, settingsPage());
