/** Fields, whatever format they came in, become one valid Message. */

import { Failure } from "../errors.ts";
import { bareJid, type Jid, parseJid } from "../jid.ts";
import { type Extensions, type Message, type MessageType, messageTypes, type Text } from "../message.ts";
import { badField } from "./check-fields.ts";
import { judgeExtensions, judgeLanguages } from "./extensions.ts";
import type { Fields } from "./fields-schema.ts";
import { carriable, type ForbiddenCharacters } from "./forbidden-characters.ts";
import { noHtml, readHtml } from "./html.ts";
import { quote } from "./quote.ts";

/** `beside`: what is known of the message by other ways than its fields. */
export function makeMessage(
  fields: Fields,
  to: Jid,
  forbidden: ForbiddenCharacters,
  beside: Pick<Message, "elements" | "requestReceipt" | "untyped"> = {},
): Message {
  const type = readType(fields.type);
  const html = fields.html === undefined ? noHtml : readHtml(carriable("/html", fields.html, forbidden));
  const extensions = hasExtensions(fields) ? judgeExtensions(fields, forbidden) : undefined;
  const body = readBody(fields.body, forbidden) ?? insteadOfBody(html.text, extensions);
  if (body === undefined && extensions === undefined && beside.elements === undefined) {
    throw new Failure("empty_message", 'The message says nothing; the field "body" is needed, or another one like it.');
  }
  // One shape for all of them, which the engine can lay out once.
  return {
    id: fields.id === undefined ? crypto.randomUUID() : readId(fields.id, forbidden),
    to,
    type,
    untyped: beside.untyped,
    room: readRoom(fields, forbidden),
    lang: fields.lang,
    body,
    html: html.fragment === "" ? undefined : html.fragment,
    requestReceipt: beside.requestReceipt,
    extensions,
    elements: beside.elements,
  };
}

/** mod_rest lets a caller say who sends; that can only be who logs in. The resource is the gateway's. */
export function refuseForeignSender(from: string | undefined, sender: Jid): void {
  if (from === undefined) return;
  const named = parseJid(from);
  if ("jid" in named && bareJid(named.jid).full === sender.full) return;
  throw new Failure(
    "foreign_sender",
    `The message says that it is from ${quote(from)}, but "${sender.full}" has logged in; it can be from nobody else.`,
    { pointer: "/from" },
  );
}

/** With the type that the path names, which may not be another one than theirs. */
export function withType(fields: Fields, inPath: string | undefined, otherwise: MessageType | undefined): Fields {
  const type = inPath ?? fields.type ?? otherwise;
  if (type === fields.type || type === undefined) return fields;
  if (fields.type === undefined) return { ...fields, type };
  const detail = `The path says the type ${quote(type)} and the field "type" says ${quote(fields.type)}; one is needed.`;
  throw new Failure("bad_type", detail, { pointer: "/type" });
}

const withoutElement: ReadonlySet<string> = new Set([
  "to",
  "type",
  "body",
  "html",
  "kind",
  "from",
  "id",
  "lang",
  "room_password",
  "create_room",
]);

/** Nearly all messages have none, and are not to pay for those that have. */
function hasExtensions(fields: Fields): boolean {
  for (const name in fields) if (!withoutElement.has(name)) return true;
  return false;
}

function readBody(body: Fields["body"], forbidden: ForbiddenCharacters): Text | undefined {
  if (typeof body === "string") return body === "" ? undefined : carriable("/body", body, forbidden);
  return body === undefined ? undefined : judgeLanguages("/body", body, forbidden);
}

/** So that every client shows something: the words of the html, or the URL, without which clients show no picture. */
function insteadOfBody(htmlText: string, extensions: Extensions | undefined): string | undefined {
  return htmlText === "" ? extensions?.oob?.url : htmlText;
}

function readRoom(fields: Fields, forbidden: ForbiddenCharacters): Message["room"] {
  const { room_password: password, create_room: create } = fields;
  if (password === undefined && create === undefined) return undefined;
  return {
    ...(password === undefined ? {} : { password: carriable("/room_password", password, forbidden) }),
    ...(create === undefined ? {} : { create }),
  };
}

function readType(type: string | undefined): MessageType {
  const known = messageTypes.find((each) => each === (type ?? "chat"));
  if (known !== undefined) return known;
  throw new Failure("bad_type", `The type ${quote(type ?? "")} is none of ${messageTypes.join(", ")}.`, {
    pointer: "/type",
  });
}

/** Servers would pass white space in it on as spaces, and a refusal would then not find its message. */
function readId(id: string, forbidden: ForbiddenCharacters): string {
  if (/\p{Cc}/u.test(id)) throw badField("/id", "it holds a control character");
  return carriable("/id", id, forbidden);
}
