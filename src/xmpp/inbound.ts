/** What comes back to a sender: refusals of its messages (RFC 6120 section 8.3) and delivery receipts (XEP-0184). */

import type { Element } from "@xmpp/xml";
import { parseJid } from "../jid.ts";
import type { Bounce, DeliveryReceipt } from "../link.ts";
import { stanzaFailure } from "./conditions.ts";
import { namespaces } from "./namespaces.ts";

/** Undefined for one without an id, which answers nothing that we know, or from an address that is none. */
export function readBounce(message: Element): Bounce | undefined {
  const { id, from } = message.attrs;
  if (id === undefined) return undefined;
  const sender = from === undefined ? undefined : parseJid(from);
  if (sender !== undefined && "problem" in sender) return undefined;
  const error = message.getChild("error");
  const condition = error?.getChildElements().find((child) => child.getNS() === namespaces.stanzaErrors);
  const cause = new Error(`Bounced: ${describeError(error)}`);
  const name = condition?.getName() ?? "undefined-condition";
  return { id, from: sender?.jid, refusal: (recipient) => stanzaFailure(name, error?.attrs["type"], recipient, cause) };
}

/** Names alone: the message comes back in a bounce, and its text may stand in the error's too; neither is for the log. */
function describeError(error: Element | undefined): string {
  if (error === undefined) return "without a reason";
  const names = error.getChildElements().map((child) => child.getName().slice(0, 64));
  return `${error.attrs["type"]?.slice(0, 32) ?? "without a type"} ${names.slice(0, 8).join(" ")}`;
}

export function readReceipt(message: Element): DeliveryReceipt | undefined {
  const id = message.getChild("received", namespaces.receipts)?.attrs["id"];
  const from = parseJid(message.attrs["from"] ?? "");
  return id === undefined || "problem" in from ? undefined : { id, from: from.jid };
}
