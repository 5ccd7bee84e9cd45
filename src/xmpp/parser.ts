/**
 * The XML of one incoming stream, made into elements. Stands where @xmpp/xml's own parser would: that one has no limits
 * and lets through what RFC 6120 section 11.1 forbids (comments, processing instructions, DTDs, undefined entities).
 * Emits `start` (stream header), `element` (each child of the root) and `end`, as @xmpp/connection expects; throws a
 * Failure from `write` on anything that has to end the stream.
 *
 * What is said in rooms is read past: of a message of type groupchat the element has its attributes and nothing else.
 */

import { EventEmitter } from "node:events";
import { Element } from "@xmpp/xml";
import { SaxesParser, type SaxesTagNS } from "saxes";
import { Failure } from "../errors.ts";

/** What one stanza of the server may take, in bytes, and how deep it may nest. */
const maxStanzaBytes = 512 * 1024;
const maxDepth = 64;
/** What is read between two looks at the limit, in UTF-16 code units: a chunk may hold many stanzas. */
const sliceLength = 16 * 1024;

export class StreamParser extends EventEmitter {
  readonly #saxes = new SaxesParser({ xmlns: true, position: false });
  #root: Element | undefined;
  #cursor: Element | undefined;
  #depth = 0;
  /** The stanza that is being read is one whose content nobody wants. */
  #hollow = false;
  #bytesSinceElement = 0;
  #betweenElements = false;
  /** In UTF-16 code units from the stream's beginning: what was read, what of it was skipped, where the last element ended. */
  #read = 0;
  #skipped = 0;
  #elementEnd = 0;

  constructor() {
    super();
    this.#saxes.on("opentag", (tag) => this.#openTag(tag));
    this.#saxes.on("closetag", () => this.#closeTag());
    this.#saxes.on("text", (text) => this.#text(text));
    this.#saxes.on("cdata", (text) => this.#text(text));
    this.#saxes.on("doctype", () => refuse("a document type declaration"));
    this.#saxes.on("comment", () => refuse("a comment"));
    this.#saxes.on("processinginstruction", () => refuse("a processing instruction"));
    this.#saxes.on("error", (error) => refuse("XML that is not well-formed", error));
  }

  /** True when nothing, not even whitespace, has been read beyond the header or the last whole element. */
  get atRest(): boolean {
    return this.#read === this.#elementEnd;
  }

  write(text: string): void {
    for (let at = 0; at < text.length; at += sliceLength) this.#writeSlice(text.slice(at, at + sliceLength));
  }

  end(): void {}

  #writeSlice(text: string): void {
    this.#read += text.length;
    // Whitespace between stanzas is a keep-alive (RFC 6120 section 4.6.1); saxes would collect it until the next tag.
    if (this.#betweenElements && text.trim() === "") {
      this.#skipped += text.length;
      return;
    }
    this.#bytesSinceElement += Buffer.byteLength(text);
    if (this.#bytesSinceElement > maxStanzaBytes) refuse(`a stanza of more than ${maxStanzaBytes} bytes`);
    this.#saxes.write(text);
    const rest = this.#read - this.#elementEnd;
    this.#betweenElements = this.#depth === 1 && rest <= text.length && text.slice(text.length - rest).trim() === "";
  }

  #openTag(tag: SaxesTagNS): void {
    if (this.#hollow) {
      this.#deepen();
      return;
    }
    const attrs: Record<string, string> = {};
    for (const [name, attribute] of Object.entries(tag.attributes)) attrs[name] = attribute.value;
    const element = new Element(tag.name, attrs);
    this.#deepen();
    if (this.#root === undefined) {
      this.#root = element;
      this.#endOfElement();
      this.emit("start", element);
    } else if (this.#cursor === undefined) {
      // Not appended: the root must not collect every stanza of the stream's life.
      element.parent = this.#root;
      this.#hollow = tag.local === "message" && attrs["type"] === "groupchat";
    } else {
      this.#cursor.append(element);
    }
    if (element !== this.#root) this.#cursor = element;
  }

  #closeTag(): void {
    this.#depth -= 1;
    if (this.#depth === 0) {
      this.emit("end", this.#root);
      return;
    }
    const closed = this.#cursor;
    if (closed === undefined) return;
    if (this.#depth > 1) {
      if (!this.#hollow) this.#cursor = closed.parent ?? undefined;
      return;
    }
    this.#hollow = false;
    this.#cursor = undefined;
    this.#endOfElement();
    this.emit("element", closed);
  }

  #deepen(): void {
    this.#depth += 1;
    if (this.#depth > maxDepth) refuse(`elements nested deeper than ${maxDepth}`);
  }

  #endOfElement(): void {
    this.#bytesSinceElement = 0;
    this.#elementEnd = this.#skipped + this.#saxes.position;
  }

  #text(text: string): void {
    // saxes reports text outside the root as an error of its own; text between stanzas carries no meaning.
    if (!this.#hollow) this.#cursor?.append(text);
  }
}

function refuse(what: string, cause?: unknown): never {
  throw new Failure("protocol_error", `The XMPP server sent ${what}, which ends the stream.`, { cause });
}
