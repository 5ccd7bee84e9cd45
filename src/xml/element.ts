/** An XML element as its meaning: prefixes are resolved, namespace declarations gone. */

import { xmlAttribute, xmlText } from "./escape.ts";

export interface XmlAttribute {
  readonly name: string;
  /** Empty for nearly all. */
  readonly namespace: string;
  readonly value: string;
}

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** May be empty. */
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
}

export const xmlNamespace = "http://www.w3.org/XML/1998/namespace";

/** As it stands inside of an element of the namespace `outer`. Every element declares its own, so that it can stand anywhere. */
export function writeElement({ name, namespace, attributes, children }: XmlElement, outer: string): string {
  const declaration = namespace === outer ? "" : ` xmlns="${xmlAttribute(namespace)}"`;
  const start = `<${name}${declaration}${attributes.map(writeAttribute).join("")}`;
  if (children.length === 0) return `${start}/>`;
  const inside = children.map((child) => (typeof child === "string" ? xmlText(child) : writeElement(child, namespace)));
  return `${start}>${inside.join("")}</${name}>`;
}

function writeAttribute({ name, namespace, value }: XmlAttribute, index: number): string {
  if (namespace === "") return ` ${name}="${xmlAttribute(value)}"`;
  if (namespace === xmlNamespace) return ` xml:${name}="${xmlAttribute(value)}"`;
  return ` xmlns:a${index}="${xmlAttribute(namespace)}" a${index}:${name}="${xmlAttribute(value)}"`;
}

/** The value of an attribute without a namespace. */
export function attributeOf({ attributes }: XmlElement, name: string): string | undefined {
  return attributes.find((each) => each.name === name && each.namespace === "")?.value;
}

export function languageOf({ attributes }: XmlElement): string | undefined {
  return attributes.find((each) => each.name === "lang" && each.namespace === xmlNamespace)?.value;
}

export function childElements({ children }: XmlElement): readonly XmlElement[] {
  return children.filter((child) => typeof child !== "string");
}

/** The text directly inside the element. */
export function textOf({ children }: XmlElement): string {
  return children.filter((child) => typeof child === "string").join("");
}
