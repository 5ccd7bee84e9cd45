/** The fields as a form has them: the member of an object is `oob.url`, an item of a list is the same name again. */

import { Kind, type TSchema, Type } from "@sinclair/typebox";

/** Of an object's schema, one whose properties are texts, or lists of texts. */
export function formSchemaOf(schema: TSchema): TSchema {
  const properties: Record<string, TSchema> = {};
  collect(schema, "", properties);
  return Type.Object(properties, { additionalProperties: false });
}

function collect(schema: TSchema, prefix: string, into: Record<string, TSchema>): void {
  const members: Readonly<Record<string, TSchema>> = schema["properties"] ?? {};
  for (const [name, member] of Object.entries(members)) {
    const kinds: readonly TSchema[] = member["anyOf"] ?? [member];
    for (const kind of kinds) put(kind, `${prefix}${name}`, member["description"], into);
  }
}

function put(schema: TSchema, name: string, outer: string | undefined, into: Record<string, TSchema>): void {
  const description: string = outer ?? schema["description"] ?? "";
  switch (schema[Kind]) {
    case "Object":
      return collect(schema, `${name}.`, into);
    case "Record":
      // One field a language, `body.de`; the language's own name is the caller's choice.
      return;
    case "Array":
      into[name] = Type.Array(Type.String(), { description });
      return;
    case "Literal":
      into[name] ??= Type.String({ description });
      return;
    case "Unknown":
      into[name] = Type.String({ description: `${description} As JSON.` });
      return;
    case "Boolean":
      into[name] ??= Type.String({ description: `${description} "true", "1" or "on"; "false" or "0".` });
      return;
    default:
      into[name] = Type.String({ description });
  }
}
