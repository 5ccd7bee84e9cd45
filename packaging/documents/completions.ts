/**
 * What a shell offers after Tab: the commands, their options, and files where a file is wanted. From the program's own
 * commands.
 */

import { type CommandWords, type OptionWords, type ProgramWords, readProgram } from "./command-words.ts";

/** By the name under which each shell looks for it. */
export function completions(): Readonly<Record<"bash" | "zsh" | "fish", string>> {
  const program = readProgram();
  return { bash: bashCompletion(program), zsh: zshCompletion(program), fish: fishCompletion(program) };
}

const takesFile = ({ value }: OptionWords) => value !== undefined && /file|path/.test(value);
const namesOf = ({ short, long }: OptionWords) => (short === undefined ? [long] : [short, long]);
const flagsOf = (options: readonly OptionWords[]) => options.flatMap(namesOf).join(" ");

function bashCompletion({ name, options, commands }: ProgramWords): string {
  const every = [...options, ...commands.flatMap((command) => command.options)];
  const withFile = unique(every.filter(takesFile).flatMap(namesOf));
  const withOther = unique(every.filter((option) => option.value !== undefined && !takesFile(option)).flatMap(namesOf));
  const names = commands.map((command) => command.name);
  const cases = [
    ...commands.map((command) => `    ${command.name}) words='${flagsOf(command.options)}' ;;`),
    `    *) words='${[...names, "help"].join(" ")} ${flagsOf(options)}' ;;`,
  ];
  const values = [
    ...(withFile.length === 0
      ? []
      : [`    ${withFile.join("|")}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")); return ;;`]),
    ...(withOther.length === 0 ? [] : [`    ${withOther.join("|")}) return ;;`]),
  ];
  return `# bash completion of ${name}

_${functionName(name)}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command='' words word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
    ${names.join("|")}|help) command=$word; break ;;
    esac
  done
  case $previous in
${values.join("\n")}
  esac
  case $command in
    help) words='${names.join(" ")}' ;;
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -F _${functionName(name)} ${name}
`;
}

function zshCompletion({ name, options, commands }: ProgramWords): string {
  const described = commands.map((command) => `    ${quote(`${command.name}:${command.help}`)}`);
  const cases = commands.map(
    (command) =>
      `      ${command.name}) _arguments ${command.options.map(zshOption).join(" ")} ${zshArguments(command)}&& return ;;`,
  );
  return `#compdef ${name}

_${functionName(name)}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
${described.join("\n")}
    'help:explain a command'
  )
  _arguments -C ${options.map(zshOption).join(" ")} '1: :->command' '*:: :->rest' && return
  case $state in
  command) _describe command commands && return ;;
  rest)
    case $words[1] in
      help) _describe command commands && return ;;
${cases.join("\n")}
    esac ;;
  esac
  return 1
}

if [ "$funcstack[1]" = _${name} ]; then
  _${functionName(name)} "$@"
else
  compdef _${functionName(name)} ${name}
fi
`;
}

function zshOption(option: OptionWords): string {
  const help = option.help.replaceAll(/[[\]:\\]/g, "\\$&");
  const names = namesOf(option);
  const value = option.value === undefined ? "" : `:${option.value}:${takesFile(option) ? "_files" : " "}`;
  if (names.length === 1) return quote(`${names[0]}[${help}]${value}`);
  return `${quote(`(${names.join(" ")})`)}{${names.join(",")}}${quote(`[${help}]${value}`)}`;
}

function zshArguments(command: CommandWords): string {
  return command.arguments.map(({ name }) => `${quote(`:${name}: `)} `).join("");
}

function fishCompletion({ name, options, commands }: ProgramWords): string {
  const lines = [
    `complete -c ${name} -f`,
    ...options.map((option) => `complete -c ${name} -n __fish_use_subcommand ${fishOption(option)}`),
    ...commands.map(
      (command) =>
        `complete -c ${name} -n __fish_use_subcommand -a ${command.name} -d ${quote(command.help, fishQuoted)}`,
    ),
    ...commands.flatMap((command) =>
      command.options.map(
        (option) => `complete -c ${name} -n '__fish_seen_subcommand_from ${command.name}' ${fishOption(option)}`,
      ),
    ),
  ];
  return `# fish completion of ${name}\n${lines.join("\n")}\n`;
}

function fishOption(option: OptionWords): string {
  const short = option.short === undefined ? "" : `-s ${option.short.slice(1)} `;
  const value = option.value === undefined ? "" : takesFile(option) ? "-rF " : "-x ";
  return `${short}-l ${option.long.slice(2)} ${value}-d ${quote(option.help, fishQuoted)}`;
}

const functionName = (name: string) => name.replaceAll("-", "_");
const unique = (words: readonly string[]) => [...new Set(words)];

/** A quote inside of quotes: POSIX shells end them for it, fish escapes it. */
const shellQuoted = `'\\''`;
const fishQuoted = "\\'";

function quote(words: string, inside: string = shellQuoted): string {
  const escaped = inside === fishQuoted ? words.replaceAll("\\", "\\\\") : words;
  return `'${escaped.replaceAll("'", () => inside)}'`;
}
