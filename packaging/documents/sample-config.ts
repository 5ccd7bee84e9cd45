/**
 * The sample configuration, made from the settings' schema: every setting with its help and its default, commented out,
 * and one host to be renamed.
 */

import { hostSettings, type Setting, type Settings, sections } from "../../src/config/settings.ts";
import { aliases, boundsOf, toTomlValue } from "./setting-words.ts";
import { wrapText } from "./wrap-text.ts";

const width = 100;

const heading = `# The configuration of post-msg; post-msg.toml(5) is its manual.
#
# A line that begins with "# " explains; one that begins with "#" and a name is a setting with its
# default (or an example, where it says so): to change it, take the "#" away. This tells whether the
# file is good:
#
#     post-msg check --config /etc/post-msg/post-msg.toml

# The domains whose accounts may log in and send, each with a table of its own; at least one.
`;

export function sampleConfig(): string {
  const host = `${heading}[hosts."example.com"]\n${describeAll(hostSettings)}`;
  const others = Object.entries(sections).map(([name, settings]) => `[${name}]\n${describeAll(settings)}`);
  return [host, ...others, `[aliases]\n\n${comment(`${aliases.help} An example:`)}\n#${aliases.example}\n`].join("\n");
}

function describeAll(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, setting]) => `\n${comment(explain(setting))}\n#${key} = ${toTomlValue(shown(setting))}\n`)
    .join("");
}

function explain(setting: Setting): string {
  const bounds = boundsOf(setting.type);
  const words = bounds === undefined ? setting.help : `${setting.help} ${bounds}`;
  return isExample(setting) ? `${words} An example:` : words;
}

/** What has no default, or one that says nothing, is shown with something else. */
function shown(setting: Setting): Exclude<Setting["default"], undefined> {
  return (isExample(setting) ? setting.example : setting.default) ?? "";
}

function isExample(setting: Setting): boolean {
  return setting.example !== undefined;
}

function comment(text: string): string {
  return wrapText(text, width - 2)
    .map((line) => `# ${line}`)
    .join("\n");
}
