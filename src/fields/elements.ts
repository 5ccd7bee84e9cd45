/**
 * What a message can carry beside its body: for each field, the XEP that has it and the element that it becomes. Both
 * ways go through this one table, so that `<message/>` as XML and the fields of JSON mean the same.
 *
 * XEP-0444 wants a hint for archives beside reactions, and XEP-0432 a JSON container (XEP-0335) in its payload.
 */

import { chatStates, type Extensions, type Fallback, type FallbackRange } from "../message.ts";
import { attributeOf, childElements, textOf, type XmlElement } from "../xml/element.ts";
import { xmlText } from "../xml/escape.ts";
import { localized } from "./localized.ts";
import {
  attribute,
  clientNamespace,
  flag,
  isOnly,
  members,
  nameAsValue,
  readAttributes,
  type Shape,
  start,
  text,
  type Written,
  writeAttributes,
} from "./shape.ts";

export interface Field<Value> extends Shape<Value> {
  /** Where the element is specified. */
  readonly from: string;
}

type Given<Name extends keyof Extensions> = Exclude<Extensions[Name], undefined>;
type Values = { readonly [Name in keyof Extensions]-?: Given<Name> };
type Fields = { readonly [Name in keyof Values]: Field<Values[Name]> };

const markers = "urn:xmpp:chat-markers:0";

export const elements: Fields = {
  subject: { from: "RFC 6121", ...localized("subject") },
  thread: {
    from: "XEP-0201",
    ...members<Given<"thread">>("thread", clientNamespace, { attributes: ["parent"], content: "id" }),
  },
  nick: { from: "XEP-0172", ...text("nick", "http://jabber.org/protocol/nick") },
  oob: { from: "XEP-0066", ...members<Given<"oob">>("x", "jabber:x:oob", { children: ["url", "desc"] }) },
  state: { from: "XEP-0085", ...nameAsValue(chatStates, "http://jabber.org/protocol/chatstates") },
  replace: { from: "XEP-0308", ...attribute("replace", "urn:xmpp:message-correct:0", "id") },
  reply: { from: "XEP-0461", ...members<Given<"reply">>("reply", "urn:xmpp:reply:0", { attributes: ["id", "to"] }) },
  reactions: { from: "XEP-0444", ...reactionsShape() },
  attach_to: { from: "XEP-0367", ...attribute("attach-to", "urn:xmpp:message-attaching:1", "id") },
  reference: {
    from: "XEP-0372",
    ...members<Given<"reference">>("reference", "urn:xmpp:reference:0", {
      attributes: ["type", "uri", "begin", "end"],
    }),
  },
  markable: { from: "XEP-0333", ...flag("markable", markers) },
  displayed: { from: "XEP-0333", ...attribute("displayed", markers, "id") },
  invite: {
    from: "XEP-0249",
    ...members<Given<"invite">>("x", "jabber:x:conference", {
      attributes: ["jid", "password", "reason", "continue", "thread"],
    }),
  },
  payload: { from: "XEP-0432", ...payloadShape() },
  delay: { from: "XEP-0203", ...attribute("delay", "urn:xmpp:delay", "stamp") },
  fallback: { from: "XEP-0428", ...fallbackShape() },
  encryption: { from: "XEP-0380", ...attribute("encryption", "urn:xmpp:eme:0", "namespace") },
};

/** In the order of the table, whatever the order in which they came. */
export function writeExtensions(extensions: Extensions): string {
  let written = "";
  for (const name of names) written += writeExtension(name, extensions);
  return written;
}

const names = Object.keys(elements) as readonly (keyof Extensions)[];

function writeExtension<Name extends keyof Values>(name: Name, extensions: Partial<Values>): string {
  const value: Values[Name] | undefined = extensions[name];
  const field: Fields[Name] = elements[name];
  return value === undefined ? "" : field.write(value);
}

/** The field whose element this is. */
export function fieldOf({ name, namespace }: XmlElement): keyof Extensions | undefined {
  return byElement.get(`{${namespace}}${name}`);
}

const byElement = new Map(
  names.flatMap((field) => elements[field].names.map((name) => [`{${elements[field].namespace}}${name}`, field])),
);

function reactionsShape(): Shape<Given<"reactions">> {
  const namespace = "urn:xmpp:reactions:0";
  const name = "reactions";
  return {
    namespace,
    names: [name],
    write: ({ id, reactions }) => {
      const inside = reactions.map((reaction) => `<reaction>${xmlText(reaction)}</reaction>`).join("");
      const hint = '<store xmlns="urn:xmpp:hints"/>';
      return `${start(name, namespace)}${writeAttributes(["id"], { id })}>${inside}</${name}>${hint}`;
    },
    read: (element) => {
      if (!isOnly(element, ["id"], ["reaction"], "no text")) return undefined;
      const reactions = childElements(element);
      if (!reactions.every((reaction) => isOnly(reaction, [], []))) return undefined;
      return { ...readAttributes(element, ["id"]), reactions: reactions.map(textOf) };
    },
  };
}

function payloadShape(): Shape<Given<"payload">> {
  const namespace = "urn:xmpp:json-msg:0";
  const container = "urn:xmpp:json:0";
  const name = "payload";
  return {
    namespace,
    names: [name],
    write: ({ datatype, json }) =>
      `${start(name, namespace)}${writeAttributes(["datatype"], { datatype })}>` +
      `<json xmlns="${container}">${xmlText(json)}</json></${name}>`,
    read: (element) => {
      const datatype = attributeOf(element, "datatype");
      const [json, ...more] = childElements(element);
      if (json === undefined || more.length > 0 || json.name !== "json" || json.namespace !== container)
        return undefined;
      if (element.attributes.length > (datatype === undefined ? 0 : 1) || !isOnly(json, [], [])) return undefined;
      if (textOf(element).trim() !== "") return undefined;
      return { ...readAttributes(element, ["datatype"]), data: textOf(json) };
    },
  };
}

function fallbackShape(): Shape<true | Fallback> {
  const namespace = "urn:xmpp:fallback:0";
  const name = "fallback";
  const parts = ["body", "subject"] as const;
  const range = ["start", "end"];
  const writePart = (part: string, value: FallbackRange | undefined) =>
    value === undefined ? "" : `<${part}${writeAttributes(range, { ...value })}/>`;
  return {
    namespace,
    names: [name],
    write: (value) => {
      if (value === true) return `${start(name, namespace)}/>`;
      const opened = start(name, namespace) + writeAttributes(["for"], { for: value.for });
      const inside = parts.map((part) => writePart(part, value[part])).join("");
      return inside === "" ? `${opened}/>` : `${opened}>${inside}</${name}>`;
    },
    read: (element) => {
      if (!isOnly(element, ["for"], parts, "no text")) return undefined;
      if (element.attributes.length === 0 && childElements(element).length === 0) return "true";
      const read: Record<string, Written> = readAttributes(element, ["for"]);
      for (const part of childElements(element)) {
        if (Object.hasOwn(read, part.name) || !isOnly(part, range, [], "no text")) return undefined;
        read[part.name] = readAttributes(part, range);
      }
      return read;
    },
  };
}
