/** XHTML-IM as plain text, for clients that show no other: XEP-0071 section 8 wants both to say the same. */

import { attributeOf, type XmlElement } from "../xml/element.ts";

type Children = XmlElement["children"];

const blocks: ReadonlySet<string> = new Set(
  "address blockquote div dl dt dd h1 h2 h3 h4 h5 h6 li ol p pre ul".split(" "),
);

/** Each block on lines of its own, white space as a browser shows it, a link's address behind its words. */
export function readAsText(children: Children): string {
  const lines = new Lines();
  write(children, lines, false);
  return lines.toString().trim();
}

function write(children: Children, lines: Lines, verbatim: boolean, ordered = false): void {
  let number = 0;
  for (const child of children) {
    if (typeof child === "string") {
      lines.add(child, verbatim);
      continue;
    }
    const isBlock = blocks.has(child.name);
    if (isBlock) lines.startBlock();
    if (child.name === "li") {
      number += 1;
      lines.add(ordered ? `${number}. ` : "- ", false);
    }
    writeElement(child, lines, verbatim);
    if (isBlock) lines.startBlock();
  }
}

function writeElement(element: XmlElement, lines: Lines, verbatim: boolean): void {
  const { name, children } = element;
  switch (name) {
    case "br":
      lines.endLine();
      break;
    case "img":
      lines.add(attributeOf(element, "alt") || (attributeOf(element, "src") ?? ""), true);
      break;
    case "a": {
      const from = lines.length;
      write(children, lines, verbatim);
      lines.addAddress(attributeOf(element, "href") ?? "", from);
      break;
    }
    default:
      write(children, lines, verbatim || name === "pre", name === "ol");
  }
}

/** A text as it grows; white space is kept back until it is known whether it separates anything. */
class Lines {
  readonly #parts: string[] = [];
  #atStart = true;
  #spaceIsDue = false;

  get length(): number {
    return this.#parts.length;
  }

  add(text: string, verbatim: boolean): void {
    if (verbatim) {
      this.#put(text, /\n$/.test(text));
      return;
    }
    const words = text.replace(/[ \t\n\r]+/g, " ");
    if (words.startsWith(" ")) this.#spaceIsDue = true;
    const trimmed = words.replace(/^ | $/g, "");
    if (trimmed !== "") this.#put(trimmed, false);
    if (words.endsWith(" ")) this.#spaceIsDue = true;
  }

  /** Behind the words since `from`, unless they are the address. */
  addAddress(href: string, from: number): void {
    const words = this.#parts.slice(from).join("").trim();
    const address = href.replace(/^(?:mailto|tel|xmpp):/i, "");
    if (words === href || words === address) return;
    this.#spaceIsDue = words !== "" || this.#spaceIsDue;
    this.#put(words === "" ? href : `<${href}>`, false);
  }

  startBlock(): void {
    if (!this.#atStart) this.endLine();
    this.#spaceIsDue = false;
  }

  endLine(): void {
    this.#spaceIsDue = false;
    this.#put("\n", true);
  }

  toString(): string {
    return this.#parts.join("");
  }

  #put(text: string, endsLine: boolean): void {
    if (text === "") return;
    if (this.#spaceIsDue && !this.#atStart) this.#parts.push(" ");
    this.#parts.push(text);
    this.#spaceIsDue = false;
    this.#atStart = endsLine;
  }
}
