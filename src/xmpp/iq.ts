/** The few requests that a link makes of its own server, and the answers it owes to others' (RFC 6120 section 8.2.3). */

import { type Element, escapeXML } from "@xmpp/xml";
import { parseJid } from "../jid.ts";
import { namespaces } from "./namespaces.ts";

/** XEP-0199. */
export function pingRequest(id: string, domain: string): string {
  return `<iq type="get" id="${id}" to="${escapeXML(domain)}"><ping xmlns="${namespaces.ping}"/></iq>`;
}

/** XEP-0030. */
export function identityRequest(id: string, domain: string): string {
  return `<iq type="get" id="${id}" to="${escapeXML(domain)}"><query xmlns="${namespaces.discoInfo}"/></iq>`;
}

/** Prosody's local refusals come before its acknowledgement; ejabberd's come up to half a millisecond after it. */
export function isProsody(identityReply: Element): boolean {
  const identities = identityReply.getChild("query", namespaces.discoInfo)?.getChildren("identity") ?? [];
  return identities.some(({ attrs }) => attrs["category"] === "server" && attrs["name"] === "Prosody");
}

/** A request gets a reply, whoever asks; undefined for what is none, or comes from what is no address. */
export function replyTo(iq: Element): string | undefined {
  const { type, id, from } = iq.attrs;
  if ((type !== "get" && type !== "set") || (from !== undefined && "problem" in parseJid(from))) return undefined;
  const to = from === undefined ? "" : ` to="${escapeXML(from)}"`;
  const head = `<iq id="${escapeXML(id ?? "")}"${to}`;
  if (type === "get" && iq.getChild("ping", namespaces.ping) !== undefined) return `${head} type="result"/>`;
  const error = `<error type="cancel"><service-unavailable xmlns="${namespaces.stanzaErrors}"/></error>`;
  return `${head} type="error">${error}</iq>`;
}
