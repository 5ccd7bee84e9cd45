/**
 * How a field's value becomes an element, and an element the field's value: each kind of element that fields have, once.
 * Reading is strict: an element that says more than its field can say is not taken for the field, so that nothing of it
 * is lost.
 */

import { attributeOf, childElements, textOf, type XmlElement } from "../xml/element.ts";
import { xmlAttribute, xmlText } from "../xml/escape.ts";

export interface Shape<Value> {
  readonly namespace: string;
  /** The element's name, without prefix; several where the name is the value. */
  readonly names: readonly string[];
  /** The value is valid, and every text in it can be carried by XML. */
  write(value: Value): string;
  /** The value as it would have come in a form, not yet judged; undefined: the element says something else, or more. */
  read(element: XmlElement): Written | undefined;
}

/** What a form can say. */
export type Written = string | readonly string[] | { readonly [member: string]: Written };

type Scalar = string | number | boolean | undefined;
type Members = Readonly<Record<string, Scalar>>;

/** Elements that stand in a message without a namespace of their own. */
export const clientNamespace = "jabber:client";

/** `<nick xmlns="…">value</nick>` */
export function text(name: string, namespace: string): Shape<string> {
  return {
    namespace,
    names: [name],
    write: (value) => `${start(name, namespace)}>${xmlText(value)}</${name}>`,
    read: (element) => (isOnly(element, [], []) ? textOf(element) : undefined),
  };
}

/** `<replace xmlns="…" id="value"/>` */
export function attribute(name: string, namespace: string, attributeName: string): Shape<string> {
  return {
    namespace,
    names: [name],
    write: (value) => `${start(name, namespace)} ${attributeName}="${xmlAttribute(value)}"/>`,
    read: (element) =>
      isOnly(element, [attributeName], [], "no text") ? attributeOf(element, attributeName) : undefined,
  };
}

/** `<markable xmlns="…"/>` */
export function flag(name: string, namespace: string): Shape<true> {
  return {
    namespace,
    names: [name],
    write: () => `${start(name, namespace)}/>`,
    read: (element) => (isOnly(element, [], [], "no text") ? "true" : undefined),
  };
}

/** `<composing xmlns="…"/>`: the name is the value. */
export function nameAsValue<Name extends string>(names: readonly Name[], namespace: string): Shape<Name> {
  return {
    namespace,
    names,
    write: (value) => `${start(value, namespace)}/>`,
    read: (element) => (isOnly(element, [], [], "no text") ? element.name : undefined),
  };
}

export interface MemberPlaces {
  readonly attributes?: readonly string[];
  /** Children that hold a text. */
  readonly children?: readonly string[];
  /** The member that is the element's own text. */
  readonly content?: string;
}

/** `<x xmlns="…" attribute="…"><child>…</child></x>`: an object, each member in its place. */
export function members<Value extends Members>(
  name: string,
  namespace: string,
  { attributes = [], children = [], content }: MemberPlaces,
): Shape<Value> {
  return {
    namespace,
    names: [name],
    write: (value) => {
      const inside = children.map((child) => textChild(child, value[child])).join("") + inner(content, value);
      const opened = start(name, namespace) + writeAttributes(attributes, value);
      return inside === "" ? `${opened}/>` : `${opened}>${inside}</${name}>`;
    },
    read: (element) => {
      if (!isOnly(element, attributes, children, content === undefined ? "no text" : "text")) return undefined;
      const read: Record<string, Written> = readAttributes(element, attributes);
      for (const child of childElements(element)) {
        if (Object.hasOwn(read, child.name) || !isOnly(child, [], [])) return undefined;
        read[child.name] = textOf(child);
      }
      if (content !== undefined) read[content] = textOf(element);
      return read;
    },
  };
}

function inner(content: string | undefined, value: Members): string {
  return content === undefined ? "" : xmlText(String(value[content] ?? ""));
}

/** Without its end. */
export function start(name: string, namespace: string): string {
  return namespace === clientNamespace ? `<${name}` : `<${name} xmlns="${namespace}"`;
}

export function writeAttributes(names: readonly string[], value: Members): string {
  return names
    .map((name) => (value[name] === undefined ? "" : ` ${name}="${xmlAttribute(String(value[name]))}"`))
    .join("");
}

export function readAttributes(element: XmlElement, names: readonly string[]): Record<string, string> {
  const read: Record<string, string> = {};
  for (const name of names) {
    const value = attributeOf(element, name);
    if (value !== undefined) read[name] = value;
  }
  return read;
}

function textChild(name: string, value: Scalar): string {
  return value === undefined ? "" : `<${name}>${xmlText(String(value))}</${name}>`;
}

/** Whether it has no other attributes and no other children (which are of its own namespace), and text only if it may. */
export function isOnly(
  element: XmlElement,
  attributes: readonly string[],
  children: readonly string[],
  mayHave: "text" | "no text" = "text",
): boolean {
  const { namespace } = element;
  const inside = childElements(element);
  return (
    element.attributes.every((each) => each.namespace === "" && attributes.includes(each.name)) &&
    inside.every((child) => child.namespace === namespace && children.includes(child.name)) &&
    (mayHave === "text" && inside.length === 0 ? true : textOf(element).trim() === "")
  );
}
