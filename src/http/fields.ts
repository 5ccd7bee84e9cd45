/** Fields, whatever format they came in, become one valid Message. */

import { nearest } from "../config/nearest.ts";
import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { type Message, type MessageType, messageTypes } from "../message.ts";
import { carriable, type ForbiddenCharacters } from "./forbidden-characters.ts";
import { checkHtml } from "./html.ts";
import { quote } from "./quote.ts";
import { type Fields, fieldsSchema } from "./schema.ts";

type FieldName = keyof Fields;

/** How many letters may differ for one name to be taken for another. */
const maxMistyped = 2;

export function makeMessage(fields: Fields, to: Jid, forbidden: ForbiddenCharacters): Message {
  const type = readType(fields.type);
  const body = carriable("body", fields.body ?? "", forbidden);
  const html = checkHtml(carriable("html", fields.html ?? "", forbidden));
  if (body === "" && html === "") {
    throw new Failure("empty_message", 'The message says nothing; a text is needed, or the field "html".');
  }
  const id = crypto.randomUUID();
  return { id, to, type, ...(body === "" ? {} : { body }), ...(html === "" ? {} : { html }) };
}

/** For formats in which a name can be unknown or come twice. */
export function collectFields(entries: readonly (readonly [name: string, value: string])[]): Fields {
  const fields: { -readonly [Name in FieldName]?: string } = {};
  for (const [name, value] of entries) {
    if (!isFieldName(name)) throw unknownField(name);
    if (fields[name] !== undefined) throw new Failure("bad_field", `The field "${name}" came twice; it may come once.`);
    fields[name] = value;
  }
  return fields;
}

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(fieldsSchema.properties, name);
}

export function unknownField(name: string): Failure {
  const known = Object.keys(fieldsSchema.properties);
  const meant = nearest(name.slice(0, 40), known, maxMistyped);
  const hint = meant === undefined ? "." : `; did you mean "${meant}"?`;
  return new Failure("unknown_field", `There is no field ${quote(name)}, only ${known.join(", ")}${hint}`);
}

function readType(type: string | undefined): MessageType {
  const known = messageTypes.find((each) => each === (type ?? "chat"));
  if (known !== undefined) return known;
  throw new Failure("bad_type", `The type ${quote(type ?? "")} is none of ${messageTypes.join(", ")}.`);
}
