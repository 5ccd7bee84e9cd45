/**
 * TOML with the line of every key, and with every mistake. The parser stops at the first mistake, so it is given one
 * statement at a time: a mistake costs its own statement and hides no other.
 */

import { type AST, ParseError, parseTOML } from "toml-eslint-parser";

export interface TomlEntry {
  /** With the table's: `["hosts", "example.com", "connect"]`. */
  readonly path: readonly string[];
  readonly line: number;
  /** A plain value; undefined for a table, whose own entries follow. */
  readonly value: unknown;
  /** As it stands in the file. */
  readonly source: string;
}

export interface TomlFault {
  readonly path: readonly string[] | undefined;
  readonly line: number;
  readonly rule: string;
  readonly source: string;
}

export interface TomlDocument {
  readonly entries: readonly TomlEntry[];
  readonly faults: readonly TomlFault[];
}

type Statement = AST.TOMLKeyValue | AST.TOMLTable;
type Reading =
  | { readonly statement: Statement | undefined; readonly source: string; readonly next: number }
  | { readonly rule: string; readonly at: number; readonly next: number };

/** Bounds the work on a bracket or a quote that is never closed. */
const maxStatementLines = 500;

export function readToml(text: string): TomlDocument {
  const lines = text.split(/\r?\n/);
  const entries: TomlEntry[] = [];
  const faults: TomlFault[] = [];
  /** Undefined after a broken header: what follows belongs to a table that nobody knows. */
  let table: readonly string[] | undefined = [];
  for (let first = 0; first < lines.length; ) {
    const reading = readStatement(lines, first);
    if ("rule" in reading) {
      const source = (lines[reading.at] ?? "").trim();
      const path = table === undefined ? undefined : guessPath(source, table);
      faults.push({ path, line: reading.at + 1, rule: reading.rule, source });
      if (source.startsWith("[")) table = undefined;
    } else if (reading.statement?.type === "TOMLTable") {
      const path = namesOf(reading.statement.key);
      const entry = { path, line: first + 1, value: undefined, source: reading.source.trim() };
      if (reading.statement.kind === "array")
        faults.push({ ...entry, rule: "must be one table, not a list of tables" });
      else entries.push(entry);
      table = reading.statement.kind === "array" ? undefined : path;
    } else if (reading.statement !== undefined && table !== undefined) {
      collect(reading.statement, table, first, reading.source, entries);
    }
    first = reading.next;
  }
  faults.push(...findDuplicates(entries));
  if (faults.length === 0) faults.push(...checkWhole(text));
  return { entries, faults };
}

/** The statement that begins in the line `first`: as many lines as the parser needs for it. */
function readStatement(lines: readonly string[], first: number): Reading {
  for (let end = first + 1; ; end += 1) {
    const source = lines.slice(first, end).join("\n");
    const parsed = parse(source);
    if (!("message" in parsed)) return { statement: parsed.statement, source, next: end };
    const incomplete = parsed.index >= source.length && /=.*(?:\[|"""|''')/.test(source);
    if (incomplete && end < lines.length && end - first < maxStatementLines) continue;

    const rule = `is not valid TOML (${parsed.message})`;
    const opened = end - first > 1;
    const next = opened ? nextStatement(lines, first + 1) : end;
    const at = Math.min(first + parsed.line, end) - 1;
    if (opened && (incomplete || at >= next)) {
      return { rule: "is not valid TOML (what this line opens is never closed)", at: first, next };
    }
    return { rule, at, next };
  }
}

/** Where reading goes on after a statement of several lines that could not be read. */
function nextStatement(lines: readonly string[], from: number): number {
  const found = lines.findIndex((line, index) => {
    if (index < from) return false;
    if (line.startsWith("[")) return true;
    const parsed = parse(line);
    return "statement" in parsed && parsed.statement !== undefined;
  });
  return found === -1 ? lines.length : found;
}

interface ParseFault {
  readonly message: string;
  readonly index: number;
  readonly line: number;
}

function parse(source: string): { readonly statement: Statement | undefined } | ParseFault {
  try {
    // Without the line end, a "0" that ends the text is given an empty range.
    return { statement: parseTOML(`${source}\n`, { tomlVersion: "1.0" }).body[0].body[0] };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const needsQuotes = /^[^=#]*=\s*[^\s"'[{#]/.test(source) && !source.includes("\n");
    const message = error.message.charAt(0).toLowerCase() + error.message.slice(1);
    return {
      message: needsQuotes ? `${message}; text must stand in quotes` : message,
      index: error.index,
      line: error.lineNumber,
    };
  }
}

/** The key of a line that could not be read, where it can be made out. */
function guessPath(source: string, table: readonly string[]): readonly string[] | undefined {
  const key = /^([A-Za-z0-9_-]+)\s*=/.exec(source)?.[1];
  return key === undefined ? undefined : [...table, key];
}

/** An inline table is taken apart into what it holds, so that both ways to write a table read alike. */
function collect(
  node: AST.TOMLKeyValue,
  table: readonly string[],
  first: number,
  source: string,
  entries: TomlEntry[],
): void {
  const path = [...table, ...namesOf(node.key)];
  const line = first + node.loc.start.line;
  const valueSource = source.slice(...node.value.range);
  if (node.value.type !== "TOMLInlineTable") {
    entries.push({ path, line, value: plainValue(node.value), source: valueSource });
    return;
  }
  entries.push({ path, line, value: undefined, source: valueSource });
  for (const inner of node.value.body) collect(inner, path, first, source, entries);
}

function namesOf(key: AST.TOMLKey): string[] {
  return key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value));
}

function plainValue(node: AST.TOMLContentNode): unknown {
  if (node.type === "TOMLArray") return node.elements.map(plainValue);
  return node.type === "TOMLInlineTable" ? {} : node.value;
}

function findDuplicates(entries: readonly TomlEntry[]): TomlFault[] {
  const lines = new Map<string, number>();
  return entries.flatMap(({ path, line, source }) => {
    const name = JSON.stringify(path);
    const earlier = lines.get(name);
    if (earlier !== undefined)
      return [{ path, line, rule: `must stand only once, is in line ${earlier} already`, source }];
    lines.set(name, line);
    return [];
  });
}

/** What only the whole shows, such as a table that another statement has closed. */
function checkWhole(text: string): TomlFault[] {
  const parsed = parse(text);
  if (!("message" in parsed)) return [];
  const source = text.split(/\r?\n/)[parsed.line - 1]?.trim() ?? "";
  return [{ path: undefined, line: parsed.line, rule: `is not valid TOML (${parsed.message})`, source }];
}
