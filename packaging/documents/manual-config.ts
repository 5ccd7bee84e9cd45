/** post-msg.toml(5), from the settings' schema. */

import { hostSettings, type Setting, type Settings, sections } from "../../src/config/settings.ts";
import { bold, type Edition, example, italic, item, section, subsection, text, titleLine } from "./roff.ts";
import { aliases, boundsOf, toTomlValue } from "./setting-words.ts";

export function configManual(edition: Edition): string {
  return [
    titleLine("post-msg.toml", 5, edition),
    section("NAME"),
    "post\\-msg.toml \\- the configuration of post\\-msg",
    section("DESCRIPTION"),
    `The configuration of ${bold("post-msg")}(1) is a file in TOML, encoded in UTF\\-8. It needs one host; everything else`,
    "has a default. This is a whole configuration:",
    example(`[hosts."example.com"]`),
    ".PP",
    `A duration is a text with a unit, such as ${italic('"300ms"')}, ${italic('"10s"')}, ${italic('"15m"')} or ${italic('"1h"')};`,
    `so is a size: ${italic('"1000B"')}, ${italic('"64KiB"')} or ${italic('"1MiB"')}.`,
    `What is not a setting is an error, and ${bold("post-msg check")} names all errors at once, with their lines.`,
    section("SETTINGS"),
    subsection(`[hosts."example.com"]`),
    "A domain whose accounts may log in and send. Each has a table of its own; there must be at least one.",
    ...describeAll(hostSettings),
    ...Object.entries(sections).flatMap(([name, settings]) => [subsection(`[${name}]`), ...describeAll(settings)]),
    subsection("[aliases]"),
    text(aliases.help),
    example(aliases.example),
    section("FILES"),
    item(
      italic("/etc/post-msg/post-msg.toml"),
      text("Read where there is no ./post-msg.toml and --config names no other."),
    ),
    section("SEE ALSO"),
    `${bold("post-msg")}(1)`,
    "",
  ].join("\n");
}

function describeAll(settings: Settings): readonly string[] {
  return Object.entries(settings).map(([key, setting]) => item(term(key, setting), describe(setting)));
}

function term(key: string, setting: Setting): string {
  if (setting.default === undefined) return bold(key);
  return `${bold(key)} = ${italic(toTomlValue(setting.default))}`;
}

function describe(setting: Setting): string {
  const bounds = boundsOf(setting.type);
  const sample = setting.example === undefined ? [] : [`For example ${italic(toTomlValue(setting.example))}.`];
  const reloads = setting.reloads === true ? [text("A change takes effect at SIGHUP.")] : [];
  return [text(bounds === undefined ? setting.help : `${setting.help} ${bounds}`), ...sample, ...reloads].join("\n");
}
