/**
 * What XEP-0071 lets through, as one table: the elements of its integration set (section 6), with the attributes and the
 * properties of style that its profile recommends (section 7), and `b` and `i` as what they mean. An element that is not
 * in the table gives way to its content (section 8), but for those whose content is no text for people.
 */

import { type XmlAttribute, type XmlElement, xmlNamespace } from "../xml/element.ts";
import { languageTag } from "./fields-schema.ts";

export const xhtml = "http://www.w3.org/1999/xhtml";
export const xhtmlIm = "http://jabber.org/protocol/xhtml-im";

type Children = XmlElement["children"];

interface Allowed {
  /** The name under which it goes on, where that is another. */
  readonly as?: string;
  readonly attributes: readonly string[];
}

const plain: Allowed = { attributes: [] };
const styled: Allowed = { attributes: ["style"] };

const elements = new Map<string, Allowed>([
  ["a", { attributes: ["href", "style", "type"] }],
  ["blockquote", styled],
  ["br", plain],
  ["cite", styled],
  ["em", plain],
  ["img", { attributes: ["alt", "height", "src", "style", "width"] }],
  ["li", styled],
  ["ol", styled],
  ["p", styled],
  ["span", styled],
  ["strong", plain],
  ["ul", styled],
  // Not recommended, but allowed, and what logs and alerts are made of.
  ...each("abbr acronym address code dfn div h1 h2 h3 h4 h5 h6 kbd pre q samp var dl dt dd", styled),
  ["b", { ...plain, as: "strong" }],
  ["i", { ...plain, as: "em" }],
]);

/** Their content goes with them. */
const withContent: ReadonlySet<string> = new Set(["script", "style", "head", "title", "template"]);

/** An attribute's value, or undefined where it is not let through. */
const attributes: Readonly<Record<string, (value: string) => string | undefined>> = {
  href: (value) => (/^(?:https?|xmpp|mailto|tel|geo):/i.test(value) && isPlain(value) ? value : undefined),
  // cid: XEP-0231.
  src: (value) => (/^(?:https?|cid):/i.test(value) && isPlain(value) ? value : undefined),
  style: reduceStyle,
  type: (value) => (/^[\w.+-]+\/[\w.+-]+$/.test(value) ? value : undefined),
  alt: (value) => value,
  width: readLength,
  height: readLength,
};

const properties: ReadonlySet<string> = new Set([
  ...["background-color", "color", "font-family", "font-size", "font-style", "font-weight"],
  ...["margin-left", "margin-right", "text-align", "text-decoration"],
]);

/** Words, numbers, units, quoted names, and colours that look like functions: nothing that a browser could fetch or run. */
const styleValue = /^(?:[\w\s#%.,'"+-]|(?:rgb|hsl)a?\([\d\s.,%]*\))+$/i;
const language = new RegExp(languageTag);

/** What is left of the children of an XHTML element. */
export function reduceXhtml(children: Children): Children {
  return children.flatMap((child) => (typeof child === "string" ? child : reduceElement(child)));
}

function reduceElement(element: XmlElement): Children {
  const { name, namespace, children } = element;
  if (namespace === xhtmlIm && name === "html") return reduceXhtml(children);
  if (namespace !== xhtml || withContent.has(name)) return [];
  const allowed = elements.get(name);
  if (allowed === undefined) return reduceXhtml(children);
  const kept = element.attributes.flatMap((attribute) => reduceAttribute(attribute, allowed.attributes));
  const has = (attribute: string) => kept.some((each) => each.name === attribute);
  if (name === "a" && !has("href")) return reduceXhtml(children);
  if (name === "img") return reduceImage(kept, has("src"));
  return [{ name: allowed.as ?? name, namespace: xhtml, attributes: kept, children: reduceXhtml(children) }];
}

/** Without a source there is the text in its place, and by XHTML 1.0 there has to be one. */
function reduceImage(kept: readonly XmlAttribute[], hasSource: boolean): Children {
  const alt = kept.find(({ name }) => name === "alt");
  if (!hasSource) return alt === undefined || alt.value === "" ? [] : [alt.value];
  const all = alt === undefined ? [...kept, { name: "alt", namespace: "", value: "" }] : kept;
  return [{ name: "img", namespace: xhtml, attributes: all, children: [] }];
}

function reduceAttribute({ name, namespace, value }: XmlAttribute, allowed: readonly string[]): XmlAttribute[] {
  if (namespace === xmlNamespace && name === "lang") return language.test(value) ? [{ name, namespace, value }] : [];
  if (namespace !== "" || !allowed.includes(name)) return [];
  const reduced = attributes[name]?.(value);
  return reduced === undefined ? [] : [{ name, namespace, value: reduced }];
}

function reduceStyle(style: string): string | undefined {
  const kept = style.split(";").flatMap((declaration) => {
    const [property = "", value = "", ...more] = declaration.split(":").map((part) => part.trim());
    const good = more.length === 0 && properties.has(property.toLowerCase()) && styleValue.test(value);
    return good ? [`${property.toLowerCase()}: ${value}`] : [];
  });
  return kept.length === 0 ? undefined : kept.join("; ");
}

/** Pixels, or a part of what there is. */
function readLength(value: string): string | undefined {
  return /^\d{1,4}%?$/.test(value) ? value : undefined;
}

/** Browsers read past white space and control characters in a URL; here they are no part of one. */
function isPlain(url: string): boolean {
  return !/[\s\p{Cc}]/u.test(url);
}

function each(names: string, allowed: Allowed): [string, Allowed][] {
  return names.split(" ").map((name) => [name, allowed]);
}
