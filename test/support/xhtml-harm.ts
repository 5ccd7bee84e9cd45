/**
 * What XHTML-IM must not hold, found by other means than the program's: another parser, and rules that are written from a
 * browser's point of view.
 */

import { readStrictly, type Tree } from "./strict-xml.ts";

const xhtml = "{http://www.w3.org/1999/xhtml}";
const xmlLang = "{http://www.w3.org/XML/1998/namespace}lang";

const elements: ReadonlySet<string> = new Set(
  (
    "a abbr acronym address blockquote br cite code dd dfn div dl dt em h1 h2 h3 h4 h5 h6 img kbd li ol p pre q samp " +
    "span strong ul var"
  ).split(" "),
);
const attributes: ReadonlySet<string> = new Set(["alt", "height", "href", "src", "style", "type", "width", xmlLang]);
const properties =
  /^(?:background-color|color|font-family|font-size|font-style|font-weight|margin-left|margin-right|text-align|text-decoration)$/;

/** Each harm in a fragment, in words; throws where it is not well-formed. */
export function findHarm(fragment: string): string[] {
  return readStrictly(`<body xmlns="http://www.w3.org/1999/xhtml">${fragment}</body>`).children.flatMap(harmIn);
}

function harmIn(node: Tree | string): string[] {
  if (typeof node === "string") return [];
  const name = node.name.startsWith(xhtml) ? node.name.slice(xhtml.length) : node.name;
  const own = elements.has(name) ? [] : [`the element ${name}`];
  return [...own, ...node.attributes.flatMap(([each, value]) => harmOf(each, value)), ...node.children.flatMap(harmIn)];
}

function harmOf(name: string, value: string): string[] {
  const harm = [`${name}="${value}"`];
  if (!attributes.has(name)) return harm;
  // As a browser reads a URL: without controls, and white space around it.
  const url = Array.from(value, (character) => (character > " " ? character : "")).join("");
  if (name === "href") return /^(?:https?|mailto|xmpp|tel|geo):/i.test(url) && url === value ? [] : harm;
  if (name === "src") return /^(?:https?|cid):/i.test(url) && url === value ? [] : harm;
  if (name !== "style") return [];
  const declarations = value.split(";").map((declaration) => declaration.split(":"));
  const good = declarations.every(([property = "", ...rest]) => properties.test(property.trim()) && rest.length === 1);
  return good && !/[\\@<{/*]|url|expression|script/i.test(value) ? [] : harm;
}
