/** application/json: an object whose members are the fields. */

import { Value } from "@sinclair/typebox/value";
import { Failure } from "../errors.ts";
import type { Decode } from "./charset.ts";
import { isFieldName, unknownField } from "./fields.ts";
import { quote } from "./quote.ts";
import { type Fields, fieldsSchema } from "./schema.ts";

export function parseJson(body: Uint8Array, decode: Decode): Fields {
  const value = readJson(body, decode);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Failure("bad_field", "The JSON body is not an object; one with the message's fields is needed.");
  }
  const unknown = Object.keys(value).find((name) => !isFieldName(name));
  if (unknown !== undefined) throw unknownField(unknown);
  if (Value.Check(fieldsSchema, value)) return value;
  const wrong = Value.Errors(fieldsSchema, value).First();
  const name = quote(wrong?.path.slice(1) ?? "");
  const needed = wrong?.message.toLowerCase() ?? "expected something else";
  throw new Failure("bad_field", `The JSON field ${name} could not be used: ${needed}, not ${typeName(wrong?.value)}.`);
}

/** RFC 8259 section 8.1 lets a parser ignore a byte order mark. */
function readJson(body: Uint8Array, decode: Decode): unknown {
  try {
    return JSON.parse(decode(body).replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new Failure("bad_json", "The body could not be read as JSON.", { cause });
  }
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
