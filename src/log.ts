/**
 * The log: one line an event on standard error, JSON for machines or pretty for people. Written synchronously, so that
 * nothing is lost at an exit, and without worker threads, which the compiled executable cannot start.
 */

import { isatty } from "node:tty";
import pino from "pino";
import { prettyFactory } from "pino-pretty";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "auto" | "json" | "pretty";

/** What goes with a sentence. `err` is written with its stack and its causes. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(fields: LogFields, sentence: string): void;
  info(fields: LogFields, sentence: string): void;
  warn(fields: LogFields, sentence: string): void;
  error(fields: LogFields, sentence: string): void;
}

/** Takes whole lines. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto`: pretty when standard error is a terminal, else (and for any other destination) JSON. */
  readonly format: LogFormat;
  /** Default: standard error. */
  readonly destination?: LogDestination;
}

const standardError = 2;
const maxCauses = 8;

export function createLog({ level, format, destination }: LogOptions): Log {
  const onTerminal = destination === undefined && isatty(standardError);
  const sink = destination ?? pino.destination({ dest: standardError, sync: true });
  const pretty = format === "pretty" || (format === "auto" && onTerminal);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    pretty ? makePretty(sink, onTerminal) : sink,
  );
  return {
    debug: (fields, sentence) => logger.debug(fields, sentence),
    info: (fields, sentence) => logger.info(fields, sentence),
    warn: (fields, sentence) => logger.warn(fields, sentence),
    error: (fields, sentence) => logger.error(fields, sentence),
  };
}

function makePretty(sink: LogDestination, colorize: boolean): LogDestination {
  const toPretty = prettyFactory({ colorize, translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l" });
  return { write: (line) => sink.write(toPretty(line)) };
}

/** What is logged of something thrown: no property but these, since a library's error may carry anything. */
function describeError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: String(thrown), stack: String(thrown) };
  return {
    type: thrown.name,
    message: thrown.message,
    ...(hasCode(thrown) ? { code: thrown.code } : {}),
    stack: stackWithCauses(thrown),
  };
}

function stackWithCauses(error: Error): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && current !== null && parts.length <= maxCauses) {
    parts.push(current instanceof Error ? stackOf(current) : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join("\ncaused by: ");
}

/** An engine may leave out the message (a changed one, too), which the stack is read for. */
function stackOf(error: Error): string {
  const head = `${error.name}: ${error.message}`;
  const stack = error.stack ?? "";
  return stack.includes(error.message) ? stack : `${head}\n${stack}`;
}

function hasCode(error: Error): error is Error & { readonly code: string | number } {
  return "code" in error && (typeof error.code === "string" || typeof error.code === "number");
}

/** What lies behind an error that was foreseen, in one line: `{ because }` with the messages of its causes, if any. */
export function because({ cause: first }: Error): LogFields {
  const messages: string[] = [];
  for (let cause = first; cause !== undefined && messages.length < maxCauses; ) {
    messages.push(cause instanceof Error ? cause.message : String(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return messages.length === 0 ? {} : { because: messages.join(" <- ") };
}
