/**
 * Fields from formats that know names and texts alone. `oob.url` is the member of an object, a name that comes again is
 * the next item of a list, and what is no text in JSON is read from one. The document is then the one that JSON would be.
 */

import { Kind, type TSchema } from "@sinclair/typebox";
import { Failure } from "../errors.ts";
import { badField, checkFields, unknownField } from "./check-fields.ts";
import { type Fields, fieldsSchema, languageTag } from "./fields-schema.ts";

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
const oneLanguage = new RegExp(languageTag);

export function collectFields(entries: readonly (readonly [name: string, value: string])[]): Fields {
  const document = makeDocument();
  for (const [name, text] of entries) put(document, name, text);
  return checkFields(document);
}

function put(document: Document, name: string, text: string): void {
  const segments = name.split(".");
  const last = segments.pop() ?? "";
  const pointer = `/${name.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll(".", "/")}`;
  let schema: TSchema = fieldsSchema;
  for (const segment of segments) {
    schema = objectIn(memberOf(schema, segment, pointer)) ?? throwUnknown(pointer, schema);
  }
  const value = readText(memberOf(schema, last, pointer), text, pointer);
  if (value === undefined) return;
  const place = enter(document, segments, name);
  const before = place[last];
  if (Array.isArray(before) && Array.isArray(value)) before.push(...value);
  else if (before === undefined) place[last] = value;
  else throw twice(name);
}

/** The object at the end of a path that the schema has; what is missing of it is made. */
function enter(document: Document, segments: readonly string[], name: string): Document {
  let place = document;
  for (const segment of segments) {
    place[segment] ??= makeDocument();
    const inside = place[segment];
    if (!isDocument(inside)) throw twice(name);
    place = inside;
  }
  return place;
}

function memberOf(schema: TSchema, name: string, pointer: string): TSchema {
  if (schema[Kind] === "Record") {
    const [member] = Object.values<TSchema>(schema["patternProperties"]);
    if (member !== undefined && oneLanguage.test(name)) return member;
    throw badField(pointer, "its name has to be a language tag such as en or de-AT");
  }
  const properties: Readonly<Record<string, TSchema>> = schema["properties"];
  const member = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return member ?? throwUnknown(pointer, schema);
}

function throwUnknown(pointer: string, { properties }: TSchema): never {
  throw unknownField(pointer, Object.keys(properties ?? fieldsSchema.properties));
}

/** The part of a schema in which members have names. */
function objectIn(schema: TSchema): TSchema | undefined {
  return variants(schema).find((each) => each[Kind] === "Object" || each[Kind] === "Record");
}

/** Undefined: as if it had not come. A web page's form sends its empty inputs, too. */
function readText(schema: TSchema, text: string, pointer: string): unknown {
  const kinds = variants(schema);
  const plain = kinds.find((each) => each[Kind] === "String");
  if (plain !== undefined) return text === "" && plain["minLength"] !== undefined ? undefined : text;
  if (text === "") return undefined;
  const [first] = kinds;
  switch (first?.[Kind]) {
    case "Boolean":
      return truths.get(text) ?? text;
    case "Integer":
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case "Array":
      return [text];
    case "Unknown":
      return readJson(text, pointer);
    default:
      return text;
  }
}

function variants(schema: TSchema): readonly TSchema[] {
  const each: unknown = schema["anyOf"];
  return Array.isArray(each) ? each : [schema];
}

function readJson(text: string, pointer: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badField(pointer, "it is not JSON");
  }
}

function makeDocument(): Document {
  return Object.create(null);
}

function isDocument(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function twice(name: string): Failure {
  return new Failure("bad_field", `The field ${JSON.stringify(name)} came twice; it may come once.`);
}
