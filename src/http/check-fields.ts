/** Whether a document has the shape of fieldsSchema, and if not, what is wrong with it, in words and with a place. */

import { Kind, type TSchema } from "@sinclair/typebox";
import { TypeCompiler, type ValueError, ValueErrorType } from "@sinclair/typebox/compiler";
import { nearest } from "../config/nearest.ts";
import { Failure } from "../errors.ts";
import { type Fields, fieldsSchema } from "./fields-schema.ts";
import { quote } from "./quote.ts";

const shape = TypeCompiler.Compile(fieldsSchema);

/** How many letters may differ for one name to be taken for another. */
const maxMistyped = 2;
const maxPointer = 200;
const maxLooked = 20;

export function checkFields(document: Readonly<Record<string, unknown>>): Fields {
  refuseOtherKinds(document["kind"]);
  if (shape.Check(document)) return document;
  const error = mostTelling(shape.Errors(document));
  throw error === undefined ? badField("", "it has another shape than is needed") : describe(error, fieldsSchema);
}

/** Before anything else, since what they hold would all be unknown here. */
function refuseOtherKinds(kind: unknown): void {
  if (typeof kind === "string" && kind !== "message") throw kindNotOffered(kind, "/kind");
}

export function kindNotOffered(kind: string, pointer?: string): Failure {
  const detail = `The kind ${quote(kind)} is not offered; this gateway sends messages, and neither presence nor iq.`;
  return new Failure("kind_not_offered", detail, pointer === undefined ? {} : { pointer });
}

/** A name that is wrong says more than the one that is therefore missing. */
function mostTelling(errors: Iterable<ValueError>): ValueError | undefined {
  let first: ValueError | undefined;
  let looked = 0;
  for (const error of errors) {
    if (error.type === ValueErrorType.ObjectAdditionalProperties) return error;
    first ??= error;
    looked += 1;
    if (looked === maxLooked) break;
  }
  return first;
}

/** `pointer`: a JSON pointer (RFC 6901). */
export function badField(pointer: string, why: string): Failure {
  return new Failure("bad_field", `The field ${nameOf(pointer)} could not be used: ${why}.`, pointTo(pointer));
}

/** `known`: what the members of its parent may be. */
export function unknownField(pointer: string, known: readonly string[]): Failure {
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  const meant = nearest(name.slice(0, 40), known, Math.min(maxMistyped, Math.floor(name.length / 2)));
  const hint = meant === undefined ? `the fields are ${known.join(", ")}.` : `did you mean "${meant}"?`;
  return new Failure("unknown_field", `There is no field ${nameOf(pointer)}; ${hint}`, pointTo(pointer));
}

/** A caller's endless name is not repeated. */
export function pointTo(pointer: string): { readonly pointer?: string } {
  return pointer.length > maxPointer ? {} : { pointer };
}

/** As people say it: the name alone where it is one. */
export function nameOf(pointer: string): string {
  const name = pointer.lastIndexOf("/") === 0 ? pointer.slice(1) : pointer;
  return quote(name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function describe(error: ValueError, parent: TSchema): Failure {
  const { path, schema, value, type } = error;
  switch (type) {
    case ValueErrorType.ObjectAdditionalProperties:
      return isMap(schema)
        ? badField(path, "its name has to be a language tag such as en or de-AT")
        : unknownField(path, Object.keys(schema["properties"] ?? parent["properties"] ?? {}));
    case ValueErrorType.ObjectRequiredProperty:
      return badField(path, `it is missing; ${needed(schema)} is needed`);
    case ValueErrorType.Union: {
      const better = ofTheSameKind(error);
      return better === undefined ? wrong(path, schema, value) : describe(better, schema);
    }
    default:
      return wrong(path, schema, value);
  }
}

/** Of the things that it might have been, the one that is most like it. */
function ofTheSameKind({ schema, value, errors }: ValueError): ValueError | undefined {
  const index = variantsOf(schema).findIndex((variant) => jsonType(variant) === typeName(value));
  const variant = index < 0 ? undefined : mostTelling(errors[index] ?? []);
  return variant?.type === ValueErrorType.Literal ? undefined : variant;
}

function wrong(pointer: string, schema: TSchema, value: unknown): Failure {
  return badField(pointer, `${needed(schema)} is needed, not ${found(schema, value)}`);
}

function found(schema: TSchema, value: unknown): string {
  if (schema[Kind] === "Array" && Array.isArray(value) && value.length === 0) return "an empty one";
  return typeof value === "string" && value.length > 0 ? quote(value) : named(value);
}

/** What would have been right: the end of the sentence "… is needed". */
function needed(schema: TSchema): string {
  switch (schema[Kind]) {
    case "Union": {
      const variants = variantsOf(schema);
      const literals = variants.filter((variant) => variant[Kind] === "Literal").map((variant) => variant["const"]);
      return literals.length > 0 ? `one of ${literals.join(", ")}` : variants.map(needed).join(" or ");
    }
    case "Boolean":
      return "true or false";
    case "Integer":
      return `a whole number from ${schema["minimum"]} to ${schema["maximum"]}`;
    case "Array":
      return schema["minItems"] === undefined ? "a list" : "a list that is not empty";
    case "Record":
      return "an object with a text for each language";
    case "Object":
      return `an object with the members ${Object.keys(schema["properties"]).join(", ")}`;
    case "Unknown":
      return "a value";
    default:
      return neededText(schema);
  }
}

function neededText({ pattern, minLength, maxLength }: TSchema): string {
  if (pattern !== undefined) return "a language tag such as en or de-AT";
  if (maxLength !== undefined) return `a text of ${minLength} to ${maxLength} characters`;
  return minLength === undefined ? "a text" : "a text that is not empty";
}

function isMap(schema: TSchema): boolean {
  return schema[Kind] === "Record";
}

function variantsOf(schema: TSchema): readonly TSchema[] {
  const variants: unknown = schema["anyOf"];
  return Array.isArray(variants) ? variants : [];
}

function jsonType(schema: TSchema): string {
  return schema["type"] === "integer" ? "number" : schema["type"];
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function named(value: unknown): string {
  switch (typeName(value)) {
    case "string":
      return "an empty one";
    case "number":
      return `the number ${value}`;
    case "boolean":
      return String(value);
    case "array":
      return "a list";
    case "object":
      return "an object";
    default:
      return "null";
  }
}
