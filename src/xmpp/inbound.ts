/** What comes back to a sender: refusals of its messages (RFC 6120 section 8.3), receipts (XEP-0184), rooms' presence (XEP-0045). */

import type { Element } from "@xmpp/xml";
import { parseJid } from "../jid.ts";
import type { Bounce, DeliveryReceipt, RoomPresence } from "../link.ts";
import { stanzaFailure } from "./conditions.ts";
import { namespaces } from "./namespaces.ts";
import { roomFailure } from "./room-conditions.ts";

/** Undefined for one without an id, which answers nothing that we know, or from an address that is none. */
export function readBounce(message: Element): Bounce | undefined {
  const { id, from } = message.attrs;
  if (id === undefined) return undefined;
  const sender = from === undefined ? undefined : parseJid(from);
  if (sender !== undefined && "problem" in sender) return undefined;
  const { condition, type, cause } = readError(message);
  return { id, from: sender?.jid, refusal: (recipient) => stanzaFailure(condition, type, recipient, cause) };
}

interface StanzaError {
  readonly condition: string;
  readonly type: string | undefined;
  readonly cause: Error;
}

export function readError(stanza: Element): StanzaError {
  const error = stanza.getChild("error");
  const condition = error?.getChildElements().find((child) => child.getNS() === namespaces.stanzaErrors);
  const cause = new Error(`Bounced: ${describeError(error)}`);
  return { condition: condition?.getName() ?? "undefined-condition", type: error?.attrs["type"], cause };
}

/** Names alone: the message comes back in a bounce, and its text may stand in the error's too; neither is for the log. */
function describeError(error: Element | undefined): string {
  if (error === undefined) return "without a reason";
  const elements = error.getChildElements().filter((child) => !child.is("text", namespaces.stanzaErrors));
  const names = elements.map((child) => child.getName().slice(0, 64));
  return `${error.attrs["type"]?.slice(0, 32) ?? "without a type"} ${names.slice(0, 8).join(" ")}`;
}

export function readReceipt(message: Element): DeliveryReceipt | undefined {
  const id = message.getChild("received", namespaces.receipts)?.attrs["id"];
  const from = parseJid(message.attrs["from"] ?? "");
  return id === undefined || "problem" in from ? undefined : { id, from: from.jid };
}

/** Undefined for presence of other types, such as a subscription's, and from an address that is none. */
export function readRoomPresence(presence: Element): RoomPresence | undefined {
  const { id, from, type = "available" } = presence.attrs;
  const kind = presenceKinds.get(type);
  const sender = from === undefined ? undefined : parseJid(from);
  if (kind === undefined || (sender !== undefined && "problem" in sender)) return undefined;
  const details = presence.getChild("x", namespaces.mucUser);
  const { condition, type: errorType, cause } = readError(presence);
  return {
    from: sender?.jid,
    id,
    kind,
    codes: new Set(details?.getChildren("status").map(({ attrs }) => attrs["code"] ?? "")),
    destroyed: details?.getChild("destroy") !== undefined,
    refusal: (room) => roomFailure(condition, errorType, room, cause),
  };
}

const presenceKinds: ReadonlyMap<string, RoomPresence["kind"]> = new Map([
  ["available", "inside"],
  ["unavailable", "outside"],
  ["error", "refused"],
] as const);
