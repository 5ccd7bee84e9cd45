/** A Message as the bytes of a `<message/>` stanza (RFC 6121 section 5). */

import { writeExtensions } from "../fields/elements.ts";
import { writeTexts } from "../fields/localized.ts";
import type { Message } from "../message.ts";
import { xmlAttribute } from "../xml/escape.ts";
import { namespaces } from "./namespaces.ts";

export function messageStanza(message: Message): string {
  const { to, type, lang, body, html, extensions } = message;
  const id = xmlAttribute(message.id);
  let stanza = `<message to="${xmlAttribute(to.full)}" type="${type}" id="${id}"`;
  stanza += lang === undefined ? ">" : ` xml:lang="${xmlAttribute(lang)}">`;
  if (body !== undefined) stanza += writeTexts("body", body);
  if (html !== undefined) stanza += xhtmlIm(html);
  if (extensions !== undefined) stanza += writeExtensions(extensions);
  if (message.elements !== undefined) stanza += message.elements;
  if (message.requestReceipt) stanza += `<request xmlns="${namespaces.receipts}"/>`;
  return `${stanza}<origin-id xmlns="${namespaces.stanzaIds}" id="${id}"/>${messageEnd}`;
}

/** The same stanza, sent again, with the time when it was sent first (XEP-0203), if it does not say a time already. */
export function delayed(stanza: string, since: Date): string {
  const delay = `<delay xmlns="${namespaces.delay}"`;
  if (stanza.includes(delay)) return stanza;
  return `${stanza.slice(0, -messageEnd.length)}${delay} stamp="${since.toISOString()}"/>${messageEnd}`;
}

const messageEnd = "</message>";

/** XEP-0071. The fragment is well-formed: src/http/html.ts has seen to it. */
function xhtmlIm(fragment: string): string {
  return `<html xmlns="${namespaces.xhtmlIm}"><body xmlns="${namespaces.xhtml}">${fragment}</body></html>`;
}
