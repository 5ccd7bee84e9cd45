/**
 * One element from a text, by a strict parser: well-formed with its namespaces (XML 1.0, Namespaces in XML 1.0), and with
 * nothing of what RFC 6120 section 11.1 keeps out of streams, but for comments, which are left out.
 */

import { SaxesParser, type SaxesTagNS } from "saxes";
import { type XmlElement, xmlNamespace } from "./element.ts";

/** Deeper ones would cost a reader more than they can mean. */
export const maxDepth = 64;

/** What is wrong is the message, as the end of a sentence. */
export class XmlError extends Error {
  override readonly name = "XmlError";
}

/** Throws an XmlError. */
export function parseElement(text: string): XmlElement {
  const [only] = parse(text, new SaxesParser({ xmlns: true })).filter((part) => typeof part !== "string");
  if (only !== undefined) return only;
  throw new XmlError("there is no element in it");
}

/** What may stand inside of an element of the namespace. Throws an XmlError. */
export function parseFragment(text: string, namespace: string): XmlElement["children"] {
  return parse(text, new SaxesParser({ xmlns: true, fragment: true, additionalNamespaces: { "": namespace } }));
}

type Parser = SaxesParser<{ xmlns: true }>;
interface Growing extends XmlElement {
  readonly children: (XmlElement | string)[];
}

function parse(text: string, parser: Parser): readonly (XmlElement | string)[] {
  const top: (XmlElement | string)[] = [];
  const open: Growing[] = [];
  const here = () => open.at(-1)?.children ?? top;
  const addText = (value: string) => {
    const children = here();
    const last = children.at(-1);
    if (value === "") return;
    if (typeof last === "string") children[children.length - 1] = last + value;
    else children.push(value);
  };
  parser.on("opentag", (tag) => {
    if (open.length === maxDepth) throw new XmlError(`its elements are nested more than ${maxDepth} deep`);
    const element = describe(tag);
    here().push(element);
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("xmldecl", () => {
    throw new XmlError("it has an XML declaration");
  });
  parser.on("doctype", () => {
    throw new XmlError("it has a document type");
  });
  parser.on("processinginstruction", () => {
    throw new XmlError("it has a processing instruction");
  });
  parser.on("error", (error) => {
    throw new XmlError(`line ${error.message.replace(/^(\d+):(\d+): (.*?)\.?$/s, "$1, column $2: $3")}`);
  });
  parser.write(text).close();
  return top;
}

function describe({ name, local, uri, attributes }: SaxesTagNS): Growing {
  if (uri === xmlNamespace || uri === declarations)
    throw new XmlError(`its element "${name}" has a reserved namespace`);
  const own = Object.values(attributes).filter((attribute) => attribute.uri !== declarations);
  return {
    name: local,
    namespace: uri,
    attributes: own.map((attribute) => ({ name: attribute.local, namespace: attribute.uri, value: attribute.value })),
    children: [],
  };
}

const declarations = "http://www.w3.org/2000/xmlns/";
