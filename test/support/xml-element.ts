/** A parsed XML element, as the peer and the receiver see what others sent. */

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly namespace: string;
  /** By qualified name, as written. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
  /** The element exactly as it was sent; namespaces declared outside of it do not stand in it. */
  readonly raw: string;
}

/** The first child element of that name, and of that namespace where one is given. */
export function childOf(element: XmlElement, name: string, namespace?: string): XmlElement | undefined {
  for (const child of element.children) {
    if (typeof child === "string" || child.name !== name) continue;
    if (namespace === undefined || child.namespace === namespace) return child;
  }
  return undefined;
}

/** The first child element, whatever its name. */
export function firstChildOf(element: XmlElement): XmlElement | undefined {
  return element.children.find((child) => typeof child !== "string");
}

/** The text directly inside the element. */
export function textOf(element: XmlElement | undefined): string {
  return element?.children.filter((child) => typeof child === "string").join("") ?? "";
}

/** For text and for attribute values in either kind of quotes. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
