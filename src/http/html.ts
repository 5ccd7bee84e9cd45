/**
 * XHTML-IM (XEP-0071): the caller's fragment, read by a strict parser and written anew, so that what leaves here is
 * well-formed, closes only what it opened, and has none of what RFC 6120 section 11.1 keeps out of streams.
 */

import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from "saxes";
import { Failure } from "../errors.ts";

const xhtml = "http://www.w3.org/1999/xhtml";
const maxDepth = 64;

/** The fragment, to stand inside `<body xmlns='http://www.w3.org/1999/xhtml'>`. Comments are left out. */
export function checkHtml(fragment: string): string {
  const parser = new SaxesParser<{ xmlns: true; fragment: true; additionalNamespaces: Record<string, string> }>({
    xmlns: true,
    fragment: true,
    additionalNamespaces: { "": xhtml },
  });
  let written = "";
  let depth = 0;
  parser.on("opentag", (tag) => {
    depth += 1;
    if (depth > maxDepth) throw malformed(`its elements are nested more than ${maxDepth} deep`);
    written += openTag(tag);
  });
  parser.on("closetag", (tag) => {
    depth -= 1;
    if (!tag.isSelfClosing) written += `</${tag.name}>`;
  });
  parser.on("text", (text) => {
    written += escapeMarkup(text);
  });
  parser.on("cdata", (text) => {
    written += escapeMarkup(text);
  });
  parser.on("processinginstruction", () => {
    throw malformed("it has a processing instruction");
  });
  parser.on("error", (error) => {
    throw malformed(`line ${error.message.replace(/^(\d+):(\d+): (.*?)\.?$/s, "$1, column $2: $3")}`);
  });
  parser.write(fragment).close();
  return written;
}

function openTag(tag: SaxesTagNS): string {
  const attributes: SaxesAttributeNS[] = Object.values(tag.attributes);
  const written = attributes.map(
    ({ name, value }) => ` ${name}="${escapeMarkup(value).replace(/[\t\n]/g, toReference)}"`,
  );
  return `<${tag.name}${written.join("")}${tag.isSelfClosing ? "/" : ""}>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A literal carriage return, or white space in an attribute, would not survive the reader (XML 1.0 sections 2.11, 3.3.3). */
function escapeMarkup(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => entities[character] ?? toReference(character));
}

function toReference(character: string): string {
  return `&#${character.charCodeAt(0)};`;
}

function malformed(why: string): Failure {
  return new Failure(
    "malformed_html",
    `The field "html" could not be used: ${why}; a well-formed XHTML fragment is needed.`,
  );
}
