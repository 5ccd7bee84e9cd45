/** A Message as the bytes of a `<message/>` stanza (RFC 6121 section 5). */

import { escapeXML, escapeXMLText } from "@xmpp/xml";
import type { Message } from "../message.ts";

export function messageStanza(message: Message): string {
  const { id, to, type, body, html } = message;
  let stanza = `<message to="${attribute(to.full)}" type="${type}" id="${attribute(id)}">`;
  if (body !== undefined) stanza += `<body>${text(body)}</body>`;
  if (html !== undefined) stanza += xhtmlIm(html);
  return `${stanza}<origin-id xmlns="urn:xmpp:sid:0" id="${attribute(id)}"/></message>`;
}

/** XEP-0071. The fragment is well-formed: src/http/html.ts has seen to it. */
function xhtmlIm(fragment: string): string {
  return `<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml">${fragment}</body></html>`;
}

/** A literal carriage return would reach the reader as a line feed (XML 1.0 section 2.11). */
function text(value: string): string {
  return escapeXMLText(value).replaceAll("\r", "&#xD;");
}

/** Literal white space in an attribute would reach the reader as spaces (XML 1.0 section 3.3.3). */
function attribute(value: string): string {
  return escapeXML(value).replace(/[\t\n\r]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}
