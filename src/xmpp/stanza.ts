/** A Message as the bytes of a `<message/>` stanza (RFC 6121 section 5). */

import { escapeXML, escapeXMLText } from "@xmpp/xml";
import type { Message } from "../message.ts";
import { namespaces } from "./namespaces.ts";

export function messageStanza(message: Message): string {
  const { id, to, type, body, html } = message;
  let stanza = `<message to="${attribute(to.full)}" type="${type}" id="${attribute(id)}">`;
  if (body !== undefined) stanza += `<body>${text(body)}</body>`;
  if (html !== undefined) stanza += xhtmlIm(html);
  if (message.requestReceipt) stanza += `<request xmlns="${namespaces.receipts}"/>`;
  return `${stanza}<origin-id xmlns="${namespaces.stanzaIds}" id="${attribute(id)}"/>${messageEnd}`;
}

/** The same stanza, sent again, with the time when it was sent first (XEP-0203). */
export function delayed(stanza: string, since: Date): string {
  const delay = `<delay xmlns="${namespaces.delay}" stamp="${since.toISOString()}"/>`;
  return `${stanza.slice(0, -messageEnd.length)}${delay}${messageEnd}`;
}

const messageEnd = "</message>";

/** XEP-0071. The fragment is well-formed: src/http/html.ts has seen to it. */
function xhtmlIm(fragment: string): string {
  return `<html xmlns="${namespaces.xhtmlIm}"><body xmlns="${namespaces.xhtml}">${fragment}</body></html>`;
}

/** A literal carriage return would reach the reader as a line feed (XML 1.0 section 2.11). */
function text(value: string): string {
  return escapeXMLText(value).replaceAll("\r", "&#xD;");
}

/** Literal white space in an attribute would reach the reader as spaces (XML 1.0 section 3.3.3). */
function attribute(value: string): string {
  return escapeXML(value).replace(/[\t\n\r]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}
