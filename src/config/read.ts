/** The entries of a file against the schema: every value typed, every problem collected. */

import { aliasNameRule, aliasType, isAliasName } from "./aliases.ts";
import { answerFirstGuess } from "./first-guesses.ts";
import { nearest } from "./nearest.ts";
import { type ConfigProblem, keyLabel, showReceived } from "./problem.ts";
import { hostSettings, type Setting, type Settings, sections } from "./settings.ts";
import type { TomlEntry } from "./toml.ts";
import type { SettingType } from "./values.ts";

/** The typed values of a group of settings; one without a default may be undefined. */
export type Values<S extends Settings> = {
  readonly [K in keyof S]: Value<S[K]["type"]> | (S[K]["default"] extends undefined ? undefined : never);
};

type Value<T> = T extends SettingType<infer V> ? V : never;

export interface Report {
  problem(entry: TomlEntry, rule: string): void;
  warning(entry: TomlEntry, rule: string): void;
}

/** A `[hosts."…"]` table: where it begins, and what stands in it by its key. */
export interface HostTable {
  readonly name: string;
  readonly start: TomlEntry;
  readonly entries: ReadonlyMap<string, TomlEntry>;
}

export interface Sorted {
  /** By section and key: "http.listen". */
  readonly sections: ReadonlyMap<string, TomlEntry>;
  readonly hosts: readonly HostTable[];
  /** The entries of `[aliases]`. */
  readonly aliases: readonly TomlEntry[];
}

/**
 * Puts every entry where it belongs and checks its value. What belongs nowhere is a problem, once for a table and all
 * that is in it.
 */
export function sortEntries(entries: readonly TomlEntry[], report: Report): Sorted {
  const inSections = new Map<string, TomlEntry>();
  const hosts = new Map<string, { name: string; start: TomlEntry; entries: Map<string, TomlEntry> }>();
  const aliases: TomlEntry[] = [];
  const refused: (readonly string[])[] = [];
  for (const entry of entries) {
    if (refused.some((prefix) => prefix.every((name, index) => entry.path[index] === name))) continue;
    const problem = findMisplacement(entry, hosts);
    if (problem !== undefined) {
      report.problem(entry, problem.rule);
      refused.push(entry.path.slice(0, problem.depth));
      continue;
    }
    const [section = "", key, hostKey] = entry.path;
    if (key === undefined) continue;
    if (section === "aliases") {
      checkValue(entry, { type: aliasType }, report);
      aliases.push(entry);
      continue;
    }
    if (section !== "hosts") {
      checkValue(entry, settingsOf(section)[key], report);
      const name = `${section}.${key}`;
      if (!inSections.has(name)) inSections.set(name, entry);
      continue;
    }
    const host = hosts.get(key) ?? { name: key, start: entry, entries: new Map<string, TomlEntry>() };
    hosts.set(key, host);
    if (hostKey === undefined) continue;
    checkValue(entry, settingsOf(section)[hostKey], report);
    if (!host.entries.has(hostKey)) host.entries.set(hostKey, entry);
  }
  return { sections: inSections, hosts: [...hosts.values()], aliases };
}

/** `depth`: how much of the path is at fault, and needs no second problem. */
interface Misplacement {
  readonly rule: string;
  readonly depth: number;
}

/** `opened`: the tables of hosts that stand before it. */
function findMisplacement(entry: TomlEntry, opened: ReadonlyMap<string, unknown>): Misplacement | undefined {
  const [section = "", key, hostKey] = entry.path;
  const isTable = entry.value === undefined;
  if (section === "hosts") {
    if (key === undefined) return isTable ? undefined : { rule: `must be a table: [hosts."example.com"]`, depth: 1 };
    if (hostKey === undefined) return isTable ? undefined : { rule: notAHost(key), depth: 2 };
    const isHeader = isTable && entry.source.startsWith("[");
    if ((isHeader || !opened.has(key)) && !key.includes(".") && !Object.hasOwn(hostSettings, hostKey)) {
      return { rule: `must have the domain in quotes: ${keyLabel(["hosts", guessDomain(entry)])}`, depth: 2 };
    }
    return checkKey(entry, hostKey, 3, section);
  }
  if (section === "aliases") return findMisplacedAlias(entry);
  if (!Object.hasOwn(sections, section)) return { rule: unknownSection(section, entry), depth: 1 };
  if (key === undefined) return isTable ? undefined : { rule: `must be a table: [${section}]`, depth: 1 };
  return checkKey(entry, key, 2, section);
}

function notAHost(key: string): string {
  const answer = answerFirstGuess("hosts", key);
  return answer === undefined ? `must be a table: ${keyLabel(["hosts", key])}` : `is not a setting: ${answer}`;
}

/** What a domain without its quotes, whose dots TOML takes for those between tables, was meant to be. */
function guessDomain({ path, value }: TomlEntry): string {
  const names = path.slice(1);
  const isSetting = value !== undefined && Object.hasOwn(hostSettings, names.at(-1) ?? "");
  return (isSetting ? names.slice(0, -1) : names).join(".");
}

function findMisplacedAlias(entry: TomlEntry): Misplacement | undefined {
  const [, name, ...rest] = entry.path;
  const isTable = entry.value === undefined;
  if (name === undefined) return isTable ? undefined : { rule: "must be a table: [aliases]", depth: 1 };
  if (!isAliasName(name)) return { rule: aliasNameRule, depth: 2 };
  return isTable || rest.length > 0 ? { rule: `must be a list, not a table`, depth: 2 } : undefined;
}

function checkValue(entry: TomlEntry, setting: Pick<Setting, "type"> | undefined, report: Report): void {
  const read = setting?.type.read(entry.value);
  if (read === undefined) return;
  if ("rule" in read) report.problem(entry, read.rule);
  else if (read.warning !== undefined) report.warning(entry, read.warning);
}

/** The values of a group: what is written, else (or where that is broken) the default. */
export function readValues<S extends Settings>(settings: S, find: (key: string) => TomlEntry | undefined): Values<S> {
  const values = Object.entries(settings).map(([key, { type, default: fallback }]) => {
    const written = type.read(find(key)?.value);
    const read = "value" in written ? written : type.read(fallback);
    return [key, "value" in read ? read.value : undefined];
  });
  return Object.fromEntries(values) as Values<S>;
}

/** What is written, or the default, of every setting that takes effect at a start only; by its label. */
export function readFixed(sorted: Sorted): Map<string, unknown> {
  const all = Object.entries(sections).flatMap(([section, settings]) =>
    Object.entries<Setting>(settings).map(([key, setting]) => ({ section, key, setting })),
  );
  const fixed = all.filter(({ setting }) => setting.reloads === undefined);
  return new Map(
    fixed.map(({ section, key, setting }) => {
      return [keyLabel([section, key]), sorted.sections.get(`${section}.${key}`)?.value ?? setting.default];
    }),
  );
}

function settingsOf(section: string): Settings {
  if (section === "hosts") return hostSettings;
  const found = Object.entries(sections).find(([name]) => name === section);
  return found === undefined ? {} : found[1];
}

function checkKey(entry: TomlEntry, key: string, depth: number, section: string): Misplacement | undefined {
  const settings = settingsOf(section);
  const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (setting === undefined) return { rule: unknownKey(key, section), depth };
  if (entry.value !== undefined && entry.path.length === depth) return undefined;
  const read = setting.type.read(undefined);
  return { rule: "rule" in read ? `${read.rule}, not a table` : "must not be a table", depth };
}

function unknownKey(key: string, section: string): string {
  const answer = answerFirstGuess(section, key);
  if (answer !== undefined) return `is not a setting: ${answer}`;
  const elsewhere = placesOf(key);
  if (elsewhere.length > 0) return `is not a setting; the nearest one is ${elsewhere.join(" or ")}`;
  const known = Object.keys(settingsOf(section));
  const meant = nearest(key, known, mostMistyped(key));
  const table = section === "hosts" ? `[hosts."…"]` : `[${section}]`;
  return meant === undefined
    ? `is not a setting; those of ${table} are ${known.join(", ")}`
    : `is not a setting; the nearest one is "${meant}"`;
}

function unknownSection(section: string, entry: TomlEntry): string {
  if (entry.path.length === 1 && entry.value !== undefined) {
    const answer = answerFirstGuess(undefined, section);
    if (answer !== undefined) return `is not a setting: ${answer}`;
    const elsewhere = placesOf(section);
    if (elsewhere.length > 0) return `is not a setting outside its table; the nearest one is ${elsewhere.join(" or ")}`;
  }
  const known = [...Object.keys(sections), "aliases", "hosts"];
  const meant = nearest(section, known, mostMistyped(section));
  return meant === undefined
    ? `is not a table of settings; there are ${known.map((name) => `[${name}]`).join(", ")}`
    : `is not a table of settings; the nearest one is [${meant}]`;
}

/** Beyond that many characters, a name was not mistyped but guessed. */
function mostMistyped(name: string): number {
  return Math.max(1, Math.floor(name.length / 3));
}

/** Where else the very same key exists. */
function placesOf(key: string): string[] {
  const found = Object.entries(sections).filter(([, settings]) => Object.hasOwn(settings, key));
  const places = found.map(([section]) => keyLabel([section, key]));
  return Object.hasOwn(hostSettings, key) ? [...places, `[hosts."…"] ${key}`] : places;
}

export function toProblem(file: string, entry: TomlEntry, rule: string): ConfigProblem {
  return { file, line: entry.line, key: keyLabel(entry.path), rule, received: showReceived(entry.path, entry.source) };
}
