/** post-msg(1), from the program's own commands. */

import { defaultConfigFiles } from "../../src/cli/config-file.ts";
import { type CommandWords, type OptionWords, type ProgramWords, readProgram } from "./command-words.ts";
import { bold, type Edition, example, italic, item, paragraph, section, subsection, text, titleLine } from "./roff.ts";

export function commandManual(edition: Edition): string {
  const program = readProgram();
  const exitCodes = exitCodesOf(program.after);
  return [
    titleLine("post-msg", 1, edition),
    section("NAME"),
    "post\\-msg \\- send XMPP messages from anything that can make an HTTP request",
    section("SYNOPSIS"),
    ...synopsis(program),
    section("DESCRIPTION"),
    text(
      "post-msg is an HTTP server. A request that names a recipient and carries the sender's address, password and text " +
        "becomes an XMPP message on the sender's own server, and is answered with 201 when that server has taken " +
        "responsibility for it.",
    ),
    section("OPTIONS"),
    ...program.options.map(describeOption),
    section("COMMANDS"),
    ...program.commands.flatMap(describeCommand),
    section("EXIT STATUS"),
    ...exitCodes.map(([codes, meaning]) => item(bold(codes), text(meaning))),
    section("SIGNALS"),
    item(
      `${bold("SIGTERM")}, ${bold("SIGINT")}`,
      text("No new requests are taken; those in flight are finished, the streams closed. A second one ends at once."),
    ),
    item(bold("SIGHUP"), text("The configuration is read again; what is not good, or cannot change, is in the log.")),
    section("ENVIRONMENT"),
    item(
      `${bold("NOTIFY_SOCKET")}, ${bold("WATCHDOG_USEC")}`,
      text("Set by systemd: where to say that post-msg is ready or stopping, and how often that it is alive."),
    ),
    section("FILES"),
    item(
      defaultConfigFiles.map(italic).join(", "),
      text("The configuration: the first of these that is there, unless --config names another."),
    ),
    section("SEE ALSO"),
    `${bold("post-msg.toml")}(5)`,
    "",
  ].join("\n");
}

function synopsis({ name, options, commands }: ProgramWords): readonly string[] {
  const lines = commands.map((command) => [bold(name), bold(command.name), ...brief(command)].join(" "));
  const flags = options.map(({ short, long }) => bold(short ?? long)).join(" | ");
  return [...lines, `${bold(name)} ${flags}`].flatMap((line, index) => (index === 0 ? [line] : [".br", line]));
}

function brief(command: CommandWords): readonly string[] {
  const options = command.options.filter(({ long }) => long !== "--help");
  const named = options.map(
    (option) => `[${optionTerm({ ...option, long: option.short ?? option.long, short: undefined })}]`,
  );
  const words = command.arguments.map(({ name, required }) => (required ? italic(name) : `[${italic(name)}]`));
  return [...named, ...words];
}

function describeCommand(command: CommandWords): readonly string[] {
  const examples = examplesOf(command.after);
  const exitCodes = /^Exit codes: .*$/m.exec(command.after)?.[0];
  return [
    subsection(command.name),
    text(command.help),
    ...command.arguments.map(({ name, help }) => item(italic(name), text(help))),
    ...command.options.filter(({ long }) => long !== "--help").map(describeOption),
    ...(examples === "" ? [] : [paragraph("For example:"), example(examples)]),
    ...(exitCodes === undefined ? [] : [paragraph(text(exitCodes))]),
  ];
}

function describeOption(option: OptionWords): string {
  return item(optionTerm(option), text(option.help));
}

function optionTerm({ short, long, value }: OptionWords): string {
  const names = [short, long].flatMap((name) => (name === undefined ? [] : [bold(name)])).join(", ");
  return value === undefined ? names : `${names} ${italic(value)}`;
}

/** The indented lines below "Example:". */
function examplesOf(after: string): string {
  const [, lines = ""] = /^Examples?:\n((?: {2}.*\n?)+)/m.exec(after) ?? [];
  return lines.replace(/^ {2}/gm, "").trimEnd();
}

function exitCodesOf(after: string): readonly (readonly [codes: string, meaning: string])[] {
  const [, lines = ""] = /^Exit codes:\n((?: {2}.*\n?)+)/m.exec(after) ?? [];
  return [...lines.matchAll(/^ {2}([\d, ]*\d) {2,}(.*)$/gm)].map(([, codes = "", meaning = ""]) => [codes, meaning]);
}
