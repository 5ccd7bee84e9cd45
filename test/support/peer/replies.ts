/** The XML that an XMPP server says, for tests that make the scripted peer say something else. */

import { escapeXml, type XmlElement } from "../xml-element.ts";
import {
  clientNamespace,
  saslNamespace,
  stanzaErrorNamespace,
  streamErrorNamespace,
  streamNamespace,
} from "./namespaces.ts";

/** The server's opening tag (RFC 6120 section 4.7). */
export function streamHeader(domain: string, id: string): string {
  return (
    `<?xml version='1.0'?><stream:stream xmlns='${clientNamespace}' xmlns:stream='${streamNamespace}' ` +
    `from='${escapeXml(domain)}' id='${id}' version='1.0' xml:lang='en'>`
  );
}

/** RFC 6120 section 4.9, without the closing tag. `extra`: XML beside the condition. */
export function streamError(condition: string, text?: string, extra = ""): string {
  const textXml = text === undefined ? "" : `<text xmlns='${streamErrorNamespace}'>${escapeXml(text)}</text>`;
  return `<stream:error><${condition} xmlns='${streamErrorNamespace}'/>${textXml}${extra}</stream:error>`;
}

/** RFC 6120 section 6.5. */
export function saslFailure(condition: string, text?: string): string {
  const textXml = text === undefined ? "" : `<text xml:lang='en'>${escapeXml(text)}</text>`;
  return `<failure xmlns='${saslNamespace}'><${condition}/>${textXml}</failure>`;
}

export interface StanzaErrorDetails {
  /** Default: cancel. */
  readonly type?: "auth" | "cancel" | "continue" | "modify" | "wait";
  readonly condition: string;
  readonly text?: string;
  /** Default: whom the stanza was addressed to. The empty string leaves the attribute out. */
  readonly from?: string;
  /** The stanza's id; default: that of the stanza. */
  readonly id?: string;
}

/** The stanza sent back as an error (RFC 6120 section 8.3). */
export function stanzaError(stanza: XmlElement, error: StanzaErrorDetails): string {
  const text = error.text === undefined ? "" : `<text xmlns='${stanzaErrorNamespace}'>${escapeXml(error.text)}</text>`;
  return (
    `<${stanza.name}${replyAddress(stanza, error)} type='error'><error type='${error.type ?? "cancel"}'>` +
    `<${error.condition} xmlns='${stanzaErrorNamespace}'/>${text}</error></${stanza.name}>`
  );
}

/** `payload` is XML. */
export function iqResult(iq: XmlElement, payload = ""): string {
  return `<iq${replyAddress(iq, {})} type='result'>${payload}</iq>`;
}

/** Changes what is inside a `<challenge/>` or `<success/>`: `change` gets and returns the decoded text. */
export function rewriteSasl(xml: string, change: (text: string) => string): string {
  return xml.replace(/>([A-Za-z0-9+/=]*)</, (_whole, payload: string) => {
    const text = Buffer.from(payload, "base64").toString("utf8");
    return `>${Buffer.from(change(text), "utf8").toString("base64")}<`;
  });
}

function replyAddress(stanza: XmlElement, reply: { readonly from?: string; readonly id?: string }): string {
  const from = reply.from ?? stanza.attributes["to"] ?? "";
  const id = reply.id ?? stanza.attributes["id"] ?? "";
  return (from === "" ? "" : ` from='${escapeXml(from)}'`) + (id === "" ? "" : ` id='${escapeXml(id)}'`);
}
