/**
 * A second, independent reading of a stanza: @rgrove/parse-xml shares no code with saxes, which the program and the
 * scripted peer both use. It knows no namespaces, so prefixes are resolved here.
 */

import { XmlElement as ParsedElement, parseXml, XmlText } from "@rgrove/parse-xml";

/** An element without anything that does not matter: namespaces are resolved, declarations gone, texts joined. */
export interface Tree {
  /** `{namespace}local` */
  readonly name: string;
  /** Sorted; a name with a prefix is `{namespace}local`. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly children: readonly (Tree | string)[];
}

type Scope = Readonly<Record<string, string>>;

/** Throws where the text is not well-formed, or uses a prefix that nobody declared. */
export function readStrictly(xml: string): Tree {
  const { root } = parseXml(xml);
  if (root === null) throw new Error("There is no element.");
  return simplify(root, { xml: "http://www.w3.org/XML/1998/namespace" });
}

function simplify({ name, attributes, children }: ParsedElement, outer: Scope): Tree {
  const declared = Object.entries(attributes).filter(([key]) => isDeclaration(key));
  const scope = { ...outer, ...Object.fromEntries(declared.map(([key, uri]) => [key.slice("xmlns:".length), uri])) };
  const own = Object.entries(attributes).filter(([key]) => !isDeclaration(key));
  const simple: (Tree | string)[] = [];
  for (const child of children) {
    if (child instanceof ParsedElement) simple.push(simplify(child, scope));
    else if (child instanceof XmlText) appendText(simple, child.text);
    else throw new Error(`There is a ${child.type} in it.`);
  }
  return {
    name: resolve(name, scope, scope[""] ?? ""),
    attributes: own.map(([key, value]) => [resolve(key, scope), value] as const).sort(),
    children: simple,
  };
}

export function appendText(children: (Tree | string)[], text: string): void {
  const last = children.at(-1);
  if (text === "") return;
  if (typeof last === "string") children[children.length - 1] = last + text;
  else children.push(text);
}

function isDeclaration(name: string): boolean {
  return name === "xmlns" || name.startsWith("xmlns:");
}

function resolve(name: string, scope: Scope, unprefixed?: string): string {
  const colon = name.indexOf(":");
  if (colon === -1) return unprefixed === undefined ? name : `{${unprefixed}}${name}`;
  const uri = scope[name.slice(0, colon)];
  if (uri === undefined || uri === "") throw new Error(`Nobody declared the prefix of "${name}".`);
  return `{${uri}}${name.slice(colon + 1)}`;
}
