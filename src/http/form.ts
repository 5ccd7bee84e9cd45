/**
 * application/x-www-form-urlencoded, as WHATWG's URL Standard section 5.1 decodes it. It is also what curl's `-d` says of
 * any text, so a body with none of the four names below is taken as the text that it most likely is.
 */

import { Failure } from "../errors.ts";
import type { Decode } from "./charset.ts";
import type { Fields } from "./fields-schema.ts";
import { collectFields } from "./form-fields.ts";
import { parseText, toLineFeeds } from "./text.ts";

/** Never grows: a text that is sent today must not become a form tomorrow. */
const marks: ReadonlySet<string> = new Set(["to", "type", "body", "html"]);

export function parseForm(body: Uint8Array, decode: Decode): Fields {
  const pairs = splitPairs(body);
  // Byte by byte: a name with a byte beyond ASCII is not one of the four, whatever its charset.
  if (!pairs.some(([name]) => marks.has(name.toString("latin1")))) return parseText(body, decode);
  return collectFields(pairs.map(([name, value]) => [decodePart(name, decode), decodePart(value, decode)]));
}

function splitPairs(body: Uint8Array): [Buffer, Buffer][] {
  const pairs = Buffer.from(body).toString("latin1").split("&");
  return pairs.filter((pair) => pair !== "").map(splitPair);
}

function splitPair(pair: string): [Buffer, Buffer] {
  const equals = pair.indexOf("=");
  return equals < 0
    ? [percentDecode(pair), Buffer.of()]
    : [percentDecode(pair.slice(0, equals)), percentDecode(pair.slice(equals + 1))];
}

/** A `%` without two hexadecimal digits stays. */
function percentDecode(part: string): Buffer {
  const bytes = part
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, "latin1");
}

function decodePart(part: Buffer, decode: Decode): string {
  try {
    return toLineFeeds(decode(part));
  } catch (cause) {
    const detail = "The form could not be decoded in its charset, which is UTF-8 unless Content-Type says otherwise.";
    throw new Failure("bad_form", detail, { cause });
  }
}
