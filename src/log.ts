/**
 * The log: one line an event on standard error, JSON for machines or pretty for people. The lines of one turn of the event
 * loop leave in one write; a warning takes along what waits, at once, and an exit does too. There are no worker threads,
 * which the compiled executable cannot start.
 *
 * Whatever is put into a field, a line stays one line of valid JSON without a control character, and names nobody: an
 * address such as alice@example.com is written as a hash under a key that lives with the process, the same one for the
 * same address, unless whole addresses are wanted. The one exception is a sentence that quotes the configuration file.
 */

import { randomBytes } from "node:crypto";
import { isatty } from "node:tty";
import pino from "pino";
import { prettyFactory } from "pino-pretty";
import { remember } from "./memo.ts";
import { openStandardError } from "./standard-error.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "auto" | "json" | "pretty";

/** What goes with a sentence. `err` is written with its stack and its causes. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** As a function where making them costs something: it is called only if they are written. */
export type LogFieldsMaker = LogFields | (() => LogFields);

/** What the configuration file says itself: its addresses are written as they are, or nobody could find the mistake. */
export interface ConfigSentence {
  readonly quotesConfig: string;
}

export interface Log {
  debug(fields: LogFieldsMaker, sentence: string): void;
  info(fields: LogFieldsMaker, sentence: string): void;
  warn(fields: LogFieldsMaker, sentence: string | ConfigSentence): void;
  error(fields: LogFieldsMaker, sentence: string | ConfigSentence): void;
}

/** Takes whole lines. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto`: pretty when standard error is a terminal, else (and for any other destination) JSON. */
  readonly format: LogFormat;
  /** Whole JIDs, which at level debug are written anyhow. Default: false. */
  readonly jids?: boolean;
  /** Default: standard error. */
  readonly destination?: LogDestination;
}

const standardError = 2;
const maxCauses = 8;
/** Of a text in a field, in UTF-16 code units. */
const maxText = 2_000;
const maxStack = 8_000;

export function createLog({ level, format, jids = false, destination }: LogOptions): Log {
  const onTerminal = destination === undefined && isatty(standardError);
  const standard = destination === undefined ? openStandardError(tellLost) : undefined;
  const sink = destination ?? standard ?? { write: () => {} };
  const pretty = format === "pretty" || (format === "auto" && onTerminal);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (described) => described },
    },
    pretty ? makePretty(sink, onTerminal) : { write: (line: string) => sink.write(escapeControls(line)) },
  );
  const hide = jids || level === "debug" ? (text: string) => text : makeHide();
  const writeAt = (each: LogLevel) => (fields: LogFieldsMaker, sentence: string | ConfigSentence) => {
    if (!logger.isLevelEnabled(each)) return;
    const shown = typeof sentence === "string" ? hide(sentence) : sentence.quotesConfig;
    logger[each](tidy(typeof fields === "function" ? fields() : fields, hide), shown);
    if (each === "warn" || each === "error") standard?.flush();
  };
  return { debug: writeAt("debug"), info: writeAt("info"), warn: writeAt("warn"), error: writeAt("error") };

  function tellLost(lines: number): void {
    logger.warn({ lines }, "lines of the log were left out, since standard error did not take them");
  }
}

/** People read it on a terminal, which would obey what a control character in a field says. */
function makePretty(sink: LogDestination, colorize: boolean): LogDestination {
  const toPretty = prettyFactory({ colorize, translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l" });
  const visible = (_: string, value: unknown) =>
    typeof value === "string"
      ? value.replace(controls, (each) => (/[\n\t]/.test(each) ? each : escapeCharacter(each)))
      : value;
  return { write: (line) => sink.write(toPretty(JSON.parse(line, visible))) };
}

/** Control characters, and those that change the direction of a line or break it. */
const controls = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** Those of them that JSON itself lets stand. */
const beyondJson = /[\x7F-\x9F\p{Bidi_Control}\u2028\u2029]/u;

function escapeControls(line: string): string {
  return beyondJson.test(line)
    ? line.replace(controls, (each) => (each === "\n" ? each : escapeCharacter(each)))
    : line;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A copy that is safe to write. */
function tidy(fields: LogFields, hide: (text: string) => string): LogFields {
  const tidied: Record<string, unknown> = {};
  for (const name in fields) tidied[name] = tidyValue(name, fields[name], hide);
  return tidied;
}

function tidyValue(name: string, value: unknown, hide: (text: string) => string): unknown {
  if (name === "err") return describeError(value, hide);
  if (typeof value === "string") return hide(clip(value, maxText));
  if (typeof value !== "object" || value === null) return value;
  try {
    return JSON.parse(JSON.stringify(value), (_, each) =>
      typeof each === "string" ? hide(clip(each, maxText)) : each,
    );
  } catch {
    return String(value); // A circle, or a number that JSON cannot write.
  }
}

function clip(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

// RFC 7622 keeps the characters left out of the two classes out of a localpart; a resource ends with its quotation.
const address = /([^\s"&'/:<>@]+@(?:\[[^\]\s]*\]|[^\s"&'/:<>@]*[^\s"&'/:<>@.,;!?)]))(?:\/[^"\n]*)?/g;

/** How our own sentences spell what an address looks like. */
const example = "user@domain";

/** Whose hash it is, can be found by trying names only while the process lives, and only by itself. */
function makeHide(): (text: string) => string {
  const key = randomBytes(32);
  const hash = (whole: string, bare: string) =>
    bare === example ? whole : `jid:${new Bun.CryptoHasher("sha256", key).update(bare).digest("hex").slice(0, 12)}`;
  // Senders and recipients come again and again; sentences seldom do.
  const hide = remember((text) => text.replace(address, hash), { most: 10_000, longest: 100 });
  return (text) => (text.includes("@") ? hide(text) : text);
}

/** What is logged of something thrown: no property but these, since a library's error may carry anything. */
function describeError(thrown: unknown, hide: (text: string) => string): unknown {
  const say = (text: string) => hide(clip(text, maxStack));
  if (!(thrown instanceof Error))
    return { type: typeof thrown, message: say(String(thrown)), stack: say(String(thrown)) };
  return {
    type: say(thrown.name),
    message: say(thrown.message),
    ...(hasCode(thrown) ? { code: typeof thrown.code === "string" ? say(thrown.code) : thrown.code } : {}),
    stack: say(stackWithCauses(thrown)),
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
    messages.push(messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return messages.length === 0 ? {} : { because: messages.join(" <- ") };
}

/** With what is gathered in it, such as what each address said that was tried. */
function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const gathered = cause instanceof AggregateError ? [...new Set(cause.errors.map(messageOf))] : [];
  return gathered.length === 0 ? cause.message : `${cause.message} (${gathered.join("; ")})`;
}
