/**
 * Reads an XMPP stream (RFC 6120 section 4) from bytes in any pieces. It uses saxes, and not the parser of the program
 * under test, so that both would have to be wrong in the same way for a mistake to pass.
 */

import { type SaxesAttributeNS, SaxesParser } from "saxes";
import type { XmlElement } from "./xml-element.ts";

export type XmlStreamEvent =
  /** `<stream:stream …>`; the element has no children and its raw text is the opening tag. */
  | { readonly kind: "header"; readonly element: XmlElement }
  | { readonly kind: "stanza"; readonly element: XmlElement }
  /** `</stream:stream>` */
  | { readonly kind: "end" }
  /** Not UTF-8, not well-formed, or not what a stream may hold. Nothing comes after it until `restart`. */
  | { readonly kind: "malformed"; readonly problem: string };

export interface XmlStream {
  /** Calls `onEvent` for everything that these bytes complete. */
  push(bytes: Uint8Array): void;
  /** The next bytes begin a new stream, as after TLS and after SASL. */
  restart(): void;
}

/** A mutable element while its children are still coming. */
interface OpenElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Record<string, string>;
  readonly children: (XmlElement | string)[];
  /** Where it begins, counted in characters from the start of the stream. */
  readonly startsAt: number;
}

export function makeXmlStream(onEvent: (event: XmlStreamEvent) => void): XmlStream {
  let pushText = makeReader(onEvent);
  let decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let broken = false;
  return {
    push: (bytes) => {
      if (broken) return;
      try {
        pushText(decoder.decode(bytes, { stream: true }));
      } catch (error) {
        broken = true;
        onEvent({ kind: "malformed", problem: String(error) });
      }
    },
    restart: () => {
      pushText = makeReader(onEvent);
      decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      broken = false;
    },
  };
}

function makeReader(onEvent: (event: XmlStreamEvent) => void): (text: string) => void {
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [];
  // The text since the end of the last stanza, and where in the stream it begins.
  let text = "";
  let textStartsAt = 0;

  const sliceFrom = (startsAt: number): string => text.slice(startsAt - textStartsAt, parser.position - textStartsAt);
  const forgetText = (): void => {
    text = text.slice(parser.position - textStartsAt);
    textStartsAt = parser.position;
  };
  const refuse = (problem: string): never => {
    throw new Error(problem);
  };

  parser.on("error", (error) => refuse(error.message));
  parser.on("doctype", () => refuse("a DOCTYPE"));
  parser.on("processinginstruction", () => refuse("a processing instruction"));
  parser.on("comment", () => refuse("a comment"));
  parser.on("opentag", (tag) => {
    // No "<" can stand inside a tag, so the last one before here began it.
    const startsAt = textStartsAt + text.lastIndexOf("<", parser.position - textStartsAt - 1);
    const attributes = readAttributes(tag.attributes);
    const element = { name: tag.local, namespace: tag.uri, attributes, children: [], startsAt };
    open.push(element);
    if (open.length > 1) return;
    if (tag.isSelfClosing) refuse("an empty stream");
    onEvent({ kind: "header", element: finish(element, sliceFrom(startsAt)) });
    forgetText();
  });
  const addText = (value: string): void => {
    const parent = open.at(-1);
    // Text between stanzas can only be whitespace (RFC 6120 section 4.6.1).
    if (open.length > 1) parent?.children.push(value);
    else if (value.trim() !== "") refuse("text between stanzas");
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    const closed = open.pop();
    if (closed === undefined) return;
    if (open.length === 0) {
      onEvent({ kind: "end" });
      return;
    }
    const element = finish(closed, sliceFrom(closed.startsAt));
    if (open.length > 1) {
      open.at(-1)?.children.push(element);
      return;
    }
    onEvent({ kind: "stanza", element });
    forgetText();
  });

  return (chunk) => {
    text += chunk;
    parser.write(chunk);
  };
}

function finish({ name, namespace, attributes, children }: OpenElement, raw: string): XmlElement {
  return { name, namespace, attributes, children, raw };
}

function readAttributes(attributes: Record<string, SaxesAttributeNS>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, value]));
}
