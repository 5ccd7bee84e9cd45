/** The types that a setting can have: what is written in the file -> what the program works with. */

/** `rule` and `warning` are ends of a sentence: `[log] level: <rule>`. */
export type Read<T> = { readonly value: T; readonly warning?: string } | { readonly rule: string };

export interface SettingType<T> {
  /** For the documents that are made from the schema. */
  readonly name: "text" | "boolean" | "integer" | "duration" | "size" | "choice" | "list";
  /** The unit of the value as the program has it. */
  readonly unit?: "ms" | "bytes";
  /** Where only certain words will do. */
  readonly choices?: readonly string[];
  /** The least and the most, as they are written in the file. */
  readonly range?: readonly [string | number, string | number];
  read(written: unknown): Read<T>;
}

type Units = Readonly<Record<string, number>>;

const unitsOfTime: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const unitsOfSize: Units = { B: 1, KiB: 1_024, MiB: 1_048_576 };

/** In milliseconds; the bounds are written like the values. */
export function duration(least: string, most: string): SettingType<number> {
  return quantity("duration", "ms", unitsOfTime, `must be a duration such as "10s", "15m" or "1h"`, least, most);
}

/** In bytes. */
export function size(least: string, most: string): SettingType<number> {
  return quantity("size", "bytes", unitsOfSize, `must be a size such as "64KiB"`, least, most);
}

function quantity(
  name: "duration" | "size",
  unit: "ms" | "bytes",
  units: Units,
  rule: string,
  least: string,
  most: string,
): SettingType<number> {
  const [from, to] = [measure(least, units), measure(most, units)];
  return {
    name,
    unit,
    range: [least, most],
    read(written) {
      const value = typeof written === "string" ? measure(written, units) : Number.NaN;
      if (Number.isNaN(value)) return { rule };
      return value < from || value > to ? { rule: `must be from "${least}" to "${most}"` } : { value };
    },
  };
}

/** A duration, or a word that stands for one to be found out. */
export function durationOr<Word extends string>(word: Word, least: string, most: string): SettingType<number | Word> {
  const type = duration(least, most);
  return {
    ...type,
    choices: [word],
    read(written) {
      if (written === word) return { value: word };
      const read = type.read(written);
      return "rule" in read ? { rule: `${read.rule}, or "${word}"` } : read;
    },
  };
}

/** A duration that is allowed, but warned of. */
export function unwiseBelow(type: SettingType<number>, least: string, consequence: string): SettingType<number> {
  return {
    ...type,
    read(written) {
      const read = type.read(written);
      return "rule" in read || read.value >= measure(least, unitsOfTime)
        ? read
        : { ...read, warning: `should be at least "${least}", since ${consequence}` };
    },
  };
}

function measure(text: string, units: Units): number {
  const [, digits = "", suffix = ""] = /^(\d{1,9})([A-Za-z]{1,3})$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, suffix) ? units[suffix] : undefined;
  return factor === undefined ? Number.NaN : Number(digits) * factor;
}

export function integer(least: number, most: number): SettingType<number> {
  const rule = `must be a whole number from ${least} to ${most}`;
  return {
    name: "integer",
    range: [least, most],
    read(written) {
      if (typeof written !== "number" || !Number.isInteger(written)) return { rule };
      return written < least || written > most ? { rule } : { value: written };
    },
  };
}

export function boolean(): SettingType<boolean> {
  return {
    name: "boolean",
    read: (written) => (typeof written === "boolean" ? { value: written } : { rule: "must be true or false" }),
  };
}

export function choice<const T extends string>(...choices: readonly T[]): SettingType<T> {
  const quoted = choices.map((word) => `"${word}"`);
  const rule = `must be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
  return {
    name: "choice",
    choices,
    read(written) {
      const value = choices.find((word) => word === written);
      return value === undefined ? { rule } : { value };
    },
  };
}

export function text<T>(rule: string, parse: (text: string) => Read<T>): SettingType<T> {
  return { name: "text", read: (written) => (typeof written === "string" ? parse(written) : { rule }) };
}

/** A text, or none, which is written as an empty one. */
export function textOrNone<T>(rule: string, parse: (text: string) => Read<T>): SettingType<T | undefined> {
  return text<T | undefined>(`${rule}, or ""`, (written) => (written === "" ? { value: undefined } : parse(written)));
}

/** Of texts, `least` of them or more; the first that breaks the rule is named. */
export function list<T>(rule: string, parse: (text: string) => Read<T>, least: 0 | 1 = 1): SettingType<readonly T[]> {
  return {
    name: "list",
    read(written) {
      if (!Array.isArray(written) || written.length < least) return { rule };
      const values: T[] = [];
      for (const element of written) {
        const read: Read<T> = typeof element === "string" ? parse(element) : { rule };
        if ("rule" in read) return read;
        values.push(read.value);
      }
      return { value: values };
    },
  };
}
