/**
 * The characters that XML 1.0 cannot carry (section 2.2, production 2), lone surrogates included. One of them makes a
 * server close the stream with everything in flight on it.
 */

import { Failure } from "../errors.ts";

export type ForbiddenCharacters = "refuse" | "replace";

const forbidden = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const allForbidden = new RegExp(forbidden, "gu");

/** The text, with U+FFFD for what cannot be carried, or a Failure that names the first such character. */
export function carriable(field: string, text: string, mode: ForbiddenCharacters): string {
  if (mode === "replace") return text.replace(allForbidden, "\uFFFD");
  const offender = forbidden.exec(text);
  if (offender === null) return text;
  const codePoint = offender[0].codePointAt(0) ?? 0;
  const name = `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
  // In code points, as people count.
  const position = [...text.slice(0, offender.index)].length + 1;
  throw new Failure(
    "forbidden_character",
    `The field "${field}" has the character ${name} at position ${position}, which XMPP cannot carry; leave it out.`,
  );
}
