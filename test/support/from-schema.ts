/** Values that a JSON schema allows, drawn by fast-check; and values of any kind, for what it does not. */

import fc, { type Arbitrary } from "fast-check";

type Schema = Readonly<Record<string, unknown>>;

/** What programs have taken for something else than a name. */
const oddNames = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "",
  "/",
  "~1",
  "a.b",
  "\u0000",
];
const texts = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 10 }) },
  fc.constantFrom("bob@example.com", "https://example.com/x.png", "2002-09-10T23:08:25Z", "true", "-1", ...oddNames),
  // Lone surrogates, which JSON can say.
  fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 3 }).map((units) => String.fromCharCode(...units)),
);

export const anything: Arbitrary<unknown> = fc.oneof(
  texts,
  fc.jsonValue({ maxDepth: 3 }),
  fc.dictionary(fc.oneof(fc.constantFrom(...oddNames), texts), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }),
);

export function fromSchema(schema: Schema): Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...schema["enum"]);
  if (Array.isArray(schema["anyOf"])) return fc.oneof(...schema["anyOf"].map(fromSchema));
  switch (schema["type"]) {
    case "string":
      return textFrom(schema);
    case "integer":
      return fc.integer({ min: Number(schema["minimum"] ?? 0), max: Math.min(Number(schema["maximum"] ?? 1e9), 1e9) });
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.uniqueArray(fromSchema(asSchema(schema["items"])), { maxLength: 4 });
    case "object":
      return objectFrom(schema);
    default:
      return anything;
  }
}

function textFrom(schema: Schema): Arbitrary<string> {
  const pattern = schema["pattern"];
  if (typeof pattern === "string") return fc.stringMatching(new RegExp(pattern), { maxLength: 40 });
  const [least, most] = [Number(schema["minLength"] ?? 0), Number(schema["maxLength"] ?? 1e6)];
  return texts.filter((text) => text.length >= least && text.length <= most);
}

function objectFrom(schema: Schema): Arbitrary<unknown> {
  const [pattern] = Object.entries(asSchema(schema["patternProperties"]));
  if (pattern !== undefined) {
    const [names, values] = [fc.stringMatching(new RegExp(pattern[0])), fromSchema(asSchema(pattern[1]))];
    return fc.dictionary(names, values, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  }
  const properties = Object.entries(asSchema(schema["properties"]));
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return fc.record(Object.fromEntries(properties.map(([name, each]) => [name, fromSchema(asSchema(each))])), {
    requiredKeys: required,
    noNullPrototype: true,
  });
}

function asSchema(value: unknown): Schema {
  return typeof value === "object" && value !== null ? (value as Schema) : {};
}
