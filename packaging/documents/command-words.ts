/** The program's commands as plain data, read from the definitions that the program itself runs with. */

import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { createProgram } from "../../src/cli/command-line.ts";

export interface OptionWords {
  readonly short: string | undefined;
  readonly long: string;
  /** The name of its value, such as "file"; undefined: it takes none. */
  readonly value: string | undefined;
  readonly help: string;
}

export interface ArgumentWords {
  readonly name: string;
  readonly required: boolean;
  readonly help: string;
}

export interface CommandWords {
  readonly name: string;
  readonly help: string;
  readonly options: readonly OptionWords[];
  readonly arguments: readonly ArgumentWords[];
  /** Examples, exit codes and whatever else its --help says below the options. */
  readonly after: string;
}

export interface ProgramWords {
  readonly name: string;
  readonly help: string;
  readonly options: readonly OptionWords[];
  readonly commands: readonly CommandWords[];
  readonly after: string;
}

/** No command is run, so no door is opened. */
const noDoors = {} as Parameters<typeof createProgram>[0];

export function readProgram(): ProgramWords {
  const program = createProgram(noDoors, () => {});
  const commands = program.commands.map((command) => ({
    name: command.name(),
    help: command.description(),
    options: optionsOf(command),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      required: argument.required,
      help: argument.description,
    })),
    after: helpAfterOptions(command),
  }));
  return {
    name: program.name(),
    help: program.description(),
    options: optionsOf(program),
    commands,
    after: helpAfterOptions(program),
  };
}

function optionsOf(command: CommandUnknownOpts): readonly OptionWords[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ short, long, flags, description }) => ({
      short,
      long: long ?? "",
      value: /<([^>]+)>/.exec(flags)?.[1],
      help: description,
    }));
}

/** Commander keeps it for itself; so the whole help is written, and what stands above is taken away. */
function helpAfterOptions(command: CommandUnknownOpts): string {
  let whole = "";
  command.configureOutput({
    writeOut(words) {
      whole += words;
    },
  });
  command.outputHelp();
  return whole.slice(command.helpInformation().length).trim();
}
