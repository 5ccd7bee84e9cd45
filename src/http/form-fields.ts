/**
 * Fields from formats that know names and texts alone. In a form, `oob.url` is the member of an object, and a name that
 * comes again is the next item of a list. What is no text in JSON is read from one. The document is then the one that
 * JSON would be.
 */

import { Kind, type TSchema } from "@sinclair/typebox";
import { Failure } from "../errors.ts";
import type { Written } from "../fields/shape.ts";
import { badField, checkFields, pointTo } from "./check-fields.ts";
import { type Fields, fieldsSchema } from "./fields-schema.ts";
import { quote } from "./quote.ts";

/** Without a prototype, so that no name in it is special. */
type Document = { [name: string]: unknown };

/** `on` is what a web page's checkbox says. */
const truths = new Map([
  ["true", true],
  ["1", true],
  ["on", true],
  ["false", false],
  ["0", false],
]);

/** A web page's form sends its empty inputs, too: they are as if they were not there, but for texts that may be empty. */
export function collectFields(entries: readonly (readonly [name: string, value: string])[]): Fields {
  const document = makeDocument();
  for (const [name, text] of entries) put(document, name, text);
  return checkFields(typedMembers(fieldsSchema, document, "", "left out"));
}

/** The same from elements. */
export function typedFields(document: Readonly<Record<string, Written>>): Fields {
  return checkFields(typedMembers(fieldsSchema, document, "", "kept"));
}

function put(document: Document, name: string, text: string): void {
  const segments = name.split(".");
  const last = segments.pop() ?? "";
  let place = document;
  for (const segment of segments) {
    place[segment] ??= makeDocument();
    const inside = place[segment];
    if (!isDocument(inside)) throw twice(name);
    place = inside;
  }
  const before = place[last];
  if (isDocument(before)) throw twice(name);
  if (Array.isArray(before)) before.push(text);
  else place[last] = before === undefined ? text : [before, text];
}

type Empty = "left out" | "kept";

function typedMembers(schema: TSchema, document: object, pointer: string, empty: Empty): Document {
  const typed = makeDocument();
  for (const [name, member] of Object.entries(document)) {
    const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const known = memberOf(schema, name);
    const value = known === undefined ? member : typedValue(known, member, at, empty);
    if (value !== undefined) typed[name] = value;
  }
  return typed;
}

/** As it is where the schema has no place for it: the check that follows says so. */
function typedValue(schema: TSchema, value: unknown, pointer: string, empty: Empty): unknown {
  const variants = variantsOf(schema);
  const list = variants.find((each) => each[Kind] === "Array");
  // What may be a text or a list of texts is what it was written as.
  if (list !== undefined && typeof value === "string" && variants.length === 1) return [value];
  if (list !== undefined && Array.isArray(value)) return value;
  if (Array.isArray(value)) throw twice(pointer.slice(1).replaceAll("/", "."), pointer);
  if (typeof value === "string") return typedText(variants, value, pointer, empty);
  const object = variants.find((each) => each[Kind] === "Object" || each[Kind] === "Record");
  if (object === undefined || !isDocument(value)) return value;
  const typed = typedMembers(object, value, pointer, empty);
  return empty === "left out" && Object.keys(typed).length === 0 ? undefined : typed;
}

function typedText(variants: readonly TSchema[], text: string, pointer: string, empty: Empty): unknown {
  const plain = variants.find((each) => each[Kind] === "String");
  if (text === "" && empty === "left out" && (plain === undefined || plain["minLength"] > 0)) return undefined;
  if (plain !== undefined) return text;
  switch (variants[0]?.[Kind]) {
    case "Boolean":
      return truths.get(text) ?? text;
    case "Integer":
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case "Unknown":
      return readJson(text, pointer);
    default:
      return text;
  }
}

function readJson(text: string, pointer: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badField(pointer, "it is not JSON");
  }
}

function memberOf(schema: TSchema, name: string): TSchema | undefined {
  if (schema[Kind] === "Record") return Object.values<TSchema>(schema["patternProperties"])[0];
  const properties: Readonly<Record<string, TSchema>> = schema["properties"];
  return Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function variantsOf(schema: TSchema): readonly TSchema[] {
  const each: unknown = schema["anyOf"];
  return Array.isArray(each) ? each : [schema];
}

function makeDocument(): Document {
  return Object.create(null);
}

function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function twice(name: string, pointer?: string): Failure {
  const at = pointer === undefined ? {} : pointTo(pointer);
  return new Failure("bad_field", `The field ${quote(name)} came twice; it may come once.`, at);
}
