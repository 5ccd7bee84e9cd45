/**
 * application/xmpp+xml: one `<message/>`. Its known children are read as the fields that they are, and judged like any
 * other field; elements of other namespaces are passed on, written anew, so that only their meaning counts.
 */

import { Failure } from "../../errors.ts";
import { fieldOf, elements as fields } from "../../fields/elements.ts";
import { localized } from "../../fields/localized.ts";
import { clientNamespace, type Written } from "../../fields/shape.ts";
import { childElements, writeElement, type XmlElement, xmlNamespace } from "../../xml/element.ts";
import { parseElement, XmlError } from "../../xml/parse.ts";
import type { Decode } from "../charset.ts";
import { badField, kindNotOffered } from "../check-fields.ts";
import { typedFields } from "../form-fields.ts";
import type { Parsed } from "../parse.ts";
import { quote } from "../quote.ts";
import { xhtmlIm } from "../xhtml-im.ts";

const body = localized("body");
const attributes: ReadonlySet<string> = new Set(["to", "from", "id", "type"]);
const stanzaIds = "urn:xmpp:sid:0";
const receipts = "urn:xmpp:receipts";
const hints = "urn:xmpp:hints";

const maxLength = 1024 * 1024;

/** Inside of a stanza they could only be meant to mislead. */
const ofStreams: ReadonlySet<string> = new Set([
  "http://etherx.jabber.org/streams",
  "urn:ietf:params:xml:ns:xmpp-streams",
  "urn:ietf:params:xml:ns:xmpp-tls",
  "urn:ietf:params:xml:ns:xmpp-sasl",
  "urn:ietf:params:xml:ns:xmpp-bind",
  "urn:xmpp:sm:3",
  "jabber:server",
]);

export function parseStanza(text: Uint8Array, decode: Decode): Parsed {
  const message = readMessage(text, decode);
  refuseTooLong(message);
  const document: Record<string, Written> = readAttributes(message);
  let passedOn = "";
  let requestReceipt = false;
  for (const child of message.children) {
    if (typeof child === "string") refuseText(child);
    else if (isElement(child, "request", receipts)) requestReceipt = true;
    else if (isElement(child, "origin-id", stanzaIds)) takeOriginId(child, document);
    else if (!takeField(child, document)) passedOn += passOn(child);
  }
  return {
    fields: typedFields(document),
    ...(passedOn === "" ? {} : { elements: passedOn }),
    ...(requestReceipt ? { requestReceipt } : {}),
    // RFC 6121 section 5.2.2.
    defaultType: "normal",
  };
}

function readMessage(text: Uint8Array, decode: Decode): XmlElement {
  const root = parse(decodeText(text, decode));
  const { name, namespace } = root;
  if (namespace !== "" && namespace !== clientNamespace) {
    throw badStanza(`its namespace is ${quote(namespace)}; none or "${clientNamespace}" is needed`);
  }
  if (name === "message") return inClientNamespace(root);
  throw kindNotOffered(name);
}

/** A namespace that is declared once is written with every element that is in it, which could be a thousandfold. */
function refuseTooLong(message: XmlElement): void {
  if (lengthOf(message) <= maxLength) return;
  const detail = `The <message/> would be more than ${maxLength} characters long with its namespaces, which nobody takes.`;
  throw new Failure("stanza_too_large", detail);
}

function lengthOf({ name, namespace, attributes, children }: XmlElement): number {
  let length = 2 * name.length + namespace.length;
  for (const attribute of attributes) {
    length += attribute.name.length + attribute.namespace.length + attribute.value.length;
  }
  for (const child of children) length += typeof child === "string" ? child.length : lengthOf(child);
  return length;
}

function parse(text: string): XmlElement {
  try {
    return parseElement(text);
  } catch (error) {
    if (error instanceof XmlError) throw badXml(error.message, error);
    throw error;
  }
}

function decodeText(text: Uint8Array, decode: Decode): string {
  try {
    return decode(text).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw badXml("it is not in its charset, which is UTF-8 unless Content-Type says otherwise", cause);
  }
}

function badXml(why: string, cause: unknown): Failure {
  return new Failure("bad_xml", `The body could not be read as XML: ${why}; one <message/> is needed.`, { cause });
}

/** What has no namespace in mod_rest's XML is jabber:client's, as it will be in the stream. */
function inClientNamespace(message: XmlElement): XmlElement {
  const children = message.children.map((child) =>
    typeof child === "string" || child.namespace !== "" ? child : { ...child, namespace: clientNamespace },
  );
  return { ...message, namespace: clientNamespace, children };
}

function readAttributes(message: XmlElement): Record<string, Written> {
  const document: Record<string, Written> = {};
  for (const { name, namespace, value } of message.attributes) {
    if (namespace === xmlNamespace && name === "lang") document["lang"] = value;
    else if (namespace === "" && attributes.has(name)) document[name] = value;
    else throw badStanza(`<message/> has no attribute ${quote(name)}, only ${[...attributes].join(", ")} and xml:lang`);
  }
  return document;
}

/** XEP-0359: it is the stanza's id. */
function takeOriginId(child: XmlElement, document: Record<string, Written>): void {
  const id = child.attributes.find(({ name, namespace }) => name === "id" && namespace === "")?.value;
  if (id === undefined) throw badStanza("its <origin-id/> has no id");
  if (document["id"] !== undefined && document["id"] !== id) throw badField("/id", "it is not that of <origin-id/>");
  document["id"] = id;
}

/** False: it is no field, or says more than the field can, or is one too many. */
function takeField(child: XmlElement, document: Record<string, Written>): boolean {
  if (isElement(child, "body", clientNamespace)) return addText("body", body.read(child), document);
  if (isElement(child, "html", xhtmlIm)) return takeHtml(child, document);
  if (isElement(child, "store", hints) && document["reactions"] !== undefined) return true;
  const name = fieldOf(child);
  if (name === undefined) return false;
  const value = fields[name].read(child);
  if (name === "subject") return addText(name, value, document);
  if (value === undefined || document[name] !== undefined) return false;
  document[name] = value;
  return true;
}

/** One text, or one for each language; one that says none has the message's. */
function addText(name: string, value: Written | undefined, document: Record<string, Written>): boolean {
  const before = document[name];
  if (value === undefined) return false;
  if (before === undefined) {
    document[name] = value;
    return true;
  }
  const texts = byLanguage(before, name, document);
  for (const [lang, text] of Object.entries(byLanguage(value, name, document))) {
    if (Object.hasOwn(texts, lang)) throw severalTexts(name);
    texts[lang] = text;
  }
  document[name] = texts;
  return true;
}

/** Without a prototype, so that no language is special. */
type Texts = { [lang: string]: Written };

function byLanguage(value: Written, name: string, { lang }: Readonly<Record<string, Written>>): Texts {
  const texts: Texts = Object.create(null);
  if (isTexts(value)) return Object.getPrototypeOf(value) === null ? value : Object.assign(texts, value);
  if (typeof lang === "string" && typeof value === "string") return Object.assign(texts, { [lang]: value });
  throw severalTexts(name);
}

function isTexts(value: Written): value is Texts {
  return typeof value === "object" && !Array.isArray(value);
}

function severalTexts(name: string): Failure {
  return badStanza(`it has several <${name}/>, which is good only if each has another xml:lang`);
}

function takeHtml(child: XmlElement, document: Record<string, Written>): boolean {
  if (document["html"] !== undefined || childElements(child).length > 1) {
    throw badField("/html", "it comes several times; one is needed, with one <body/>");
  }
  document["html"] = writeElement(child, clientNamespace);
  return true;
}

function passOn(child: XmlElement): string {
  const { name, namespace } = child;
  if (namespace === clientNamespace) throw badStanza(`<message/> has no child ${quote(name)} as it stands here`);
  if (ofStreams.has(namespace)) throw badStanza(`an element of ${quote(namespace)} has no place in it`);
  return writeElement(child, clientNamespace);
}

function refuseText(text: string): void {
  if (text.trim() === "") return;
  throw badStanza(`it has the text ${quote(text.trim())} outside of its elements; a <body/> is needed around it`);
}

function isElement(element: XmlElement, name: string, namespace: string): boolean {
  return element.name === name && element.namespace === namespace;
}

function badStanza(why: string): Failure {
  return new Failure("bad_stanza", `The <message/> could not be used: ${why}.`);
}
