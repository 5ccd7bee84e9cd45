/** application/json: an object whose members are the fields. */

import { Failure } from "../errors.ts";
import type { Decode } from "./charset.ts";
import { checkFields } from "./check-fields.ts";
import type { Fields } from "./fields-schema.ts";

const maxReasonLength = 100;

export function parseJson(body: Uint8Array, decode: Decode): Fields {
  const value = readJson(body, decode);
  if (isObject(value)) return checkFields(value);
  throw new Failure("bad_field", "The JSON body is not an object; one with the message's fields is needed.", {
    pointer: "",
  });
}

/** RFC 8259 section 8.1 lets a parser ignore a byte order mark. */
function readJson(body: Uint8Array, decode: Decode): unknown {
  try {
    return JSON.parse(decode(body).replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new Failure("bad_json", `The body could not be read as JSON${whyNot(cause)}.`, { cause });
  }
}

/** The parser's own words, which may quote the body. */
function whyNot(cause: unknown): string {
  if (!(cause instanceof SyntaxError)) return "";
  const reason = cause.message.replace(/^JSON Parse error: /, "").slice(0, maxReasonLength);
  return `: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
