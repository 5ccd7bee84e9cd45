/**
 * The characters that XML 1.0 cannot carry (section 2.2, production 2), lone surrogates included. One of them makes a
 * server close the stream with everything in flight on it.
 */

import { Failure } from "../errors.ts";
import { nameOf } from "./check-fields.ts";

export type ForbiddenCharacters = "refuse" | "replace";

const forbidden = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const allForbidden = new RegExp(forbidden, "gu");

/** The text, with U+FFFD for what cannot be carried, or a Failure that names the first such character. */
export function carriable(pointer: string, text: string, mode: ForbiddenCharacters): string {
  if (mode === "replace") return text.replace(allForbidden, "\uFFFD");
  const offender = forbidden.exec(text);
  if (offender === null) return text;
  const codePoint = offender[0].codePointAt(0) ?? 0;
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
  // In code points, as people count.
  const position = [...text.slice(0, offender.index)].length + 1;
  throw new Failure(
    "forbidden_character",
    `The field ${nameOf(pointer)} has the character ${name} at position ${position}, which XMPP cannot carry; leave it out.`,
    { pointer },
  );
}

/** All texts in a value of JSON, in the same way; the names in it are known ones. */
export function carriableValue<Value>(pointer: string, value: Value, mode: ForbiddenCharacters): Value;
export function carriableValue(pointer: string, value: unknown, mode: ForbiddenCharacters): unknown {
  if (typeof value === "string") return carriable(pointer, value, mode);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => carriableValue(`${pointer}/${index}`, item, mode));
  const members = Object.entries(value);
  return Object.fromEntries(
    members.map(([name, member]) => [name, carriableValue(`${pointer}/${name}`, member, mode)]),
  );
}
