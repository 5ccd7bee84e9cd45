/** The command line: which commands there are, what they take, and how each is explained. */

import { Command, CommanderError } from "@commander-js/extra-typings";
import { version } from "../version.ts";
import { type CheckDoors, check } from "./check.ts";
import { health } from "./health.ts";
import { openapi } from "./openapi.ts";
import { exitCodes } from "./process.ts";
import { type ServeOptions, serve } from "./serve.ts";

export interface Doors extends CheckDoors, Pick<ServeOptions, "process" | "loadStart" | "openSupervisor"> {}

const configOption = [
  "-c, --config <file>",
  "the configuration; default: ./post-msg.toml, then /etc/post-msg/post-msg.toml",
] as const;

const exitCodesHelp = `
Exit codes:
  0   done, or stopped by SIGTERM or SIGINT with nothing left open
  2   a mistake in the command line or the configuration
  69  cannot listen on the configured address
  70  an unforeseen fault; it is in the log
  75  25 s after the signal something was still open
  130, 143  a second SIGINT or SIGTERM came before the end`;

/** Resolves to the exit code. `args` is without the program's name. */
export async function runCommandLine(args: readonly string[], doors: Doors): Promise<number> {
  let exitCode: number = exitCodes.good;
  const program = createProgram(doors, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.excessArguments") {
      doors.process.writeError("A configuration is named by --config FILE.\n");
    }
    if (error.code === "commander.unknownOption" && args.includes("-v")) {
      doors.process.writeError("The version is printed by -V, or --version.\n");
    }
    return error.exitCode === 0 ? exitCodes.good : exitCodes.mistake;
  }
}

/** All commands; the manual page and the completions are made from them. `end` is told the exit code of what ran. */
export function createProgram(doors: Doors, end: (exitCode: number) => void): Command {
  const program = new Command("post-msg")
    .description("Lets anything that can make an HTTP request send XMPP messages.")
    .version(`post-msg ${version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the program or a command")
    .helpCommand("help [command]", "explain a command")
    .addHelpText("after", firstSteps)
    .configureOutput({
      writeOut: (text) => doors.process.writeOutput(text),
      writeErr: (text) => doors.process.writeError(text),
    })
    .showHelpAfterError("(post-msg --help shows the way)")
    .exitOverride();

  program
    .command("serve")
    .description("Take HTTP requests and send them as XMPP messages, in the foreground, until SIGTERM or SIGINT.")
    .option(...configOption)
    .addHelpText("after", serveExample)
    .action(async ({ config }) => {
      end(await serve(config, doors));
    });

  program
    .command("check")
    .description(
      "Say whether the configuration is good; if not, name all that is wrong with it. With --connect, also go the way to each XMPP server step by step, and say what to mend where it fails.",
    )
    .option(...configOption)
    .option("--connect", "examine the hosts: DNS, connection, TLS, certificate, login methods")
    .option("--as <jid>", "log in with this account, too, and send a message from it to itself; asks for the password")
    .option("--password-fd <number>", "read that password from a file descriptor instead")
    .option("--json", "print the result as JSON, for programs; docs/check.md describes it")
    .addHelpText("after", checkExample)
    .action(async (options) => {
      end(await check(options, doors));
    });

  program
    .command("health")
    .description("Ask a running post-msg whether it takes requests, where the configuration says that it listens.")
    .option(...configOption)
    .option("--live", "ask whether it lives: at a stop true for a second longer, if reuse_port is set")
    .addHelpText("after", healthExample)
    .action(async ({ config, live }) => {
      end(await health(config, live ? "live" : "ready", doors.process));
    });

  program
    .command("openapi")
    .description(
      "Print the description of the HTTP API (OpenAPI 3.1), for generators of clients and for other programs.",
    )
    .option("-c, --config <file>", "take the path of the messages from this configuration; default: /msg")
    .addHelpText("after", openapiExample)
    .action(async ({ config }) => {
      end(await openapi(config, doors.process));
    });

  return program;
}

const firstSteps = `
Example:
  echo '[hosts."example.com"]' > post-msg.toml  # the domain of your XMPP server
  post-msg check --as alice@example.com         # is all well? logs in, sends alice a message
  post-msg serve                                # takes requests
${exitCodesHelp}`;

const serveExample = `
Example:
  echo '[hosts."example.com"]' > post-msg.toml
  post-msg serve --config post-msg.toml
  curl http://127.0.0.1:5280/msg/bob@example.com -u alice@example.com:secret \\
    -H "Content-Type: text/plain" -d "Server@host has just crashed!"
${exitCodesHelp}`;

const checkExample = `
Example:
  post-msg check --config /etc/post-msg/post-msg.toml
  post-msg check --connect
  post-msg check --as alice@example.com
  post-msg check --as alice@example.com --password-fd 3 3</root/alice.password

Exit codes:
  0  all is good, warnings included
  1  at least one host cannot be used, or the login or the message failed
  2  a mistake in the command line or the configuration`;

const healthExample = `
Example:
  post-msg health --config /etc/post-msg/post-msg.toml

Exit codes: 0 when it answers that it is ready (or lives), 1 when it does not, 2 when there is no good configuration.`;

const openapiExample = `
Example:
  post-msg openapi > openapi.json

A running post-msg has it at /openapi.json, and a page to read it and to try it at /docs.

Exit codes: 0 when it was printed, 2 when there is no good configuration.`;
