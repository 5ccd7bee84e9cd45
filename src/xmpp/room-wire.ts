/** What a link says to rooms and conference services (XEP-0045, XEP-0410), as stanzas. */

import { type Element, escapeXML, escapeXMLText } from "@xmpp/xml";
import { parseJid } from "../jid.ts";
import type { RoomWire } from "../link.ts";
import { refusal, stanzaRow } from "./conditions.ts";
import { readError } from "./inbound.ts";
import { namespaces } from "./namespaces.ts";
import type { Requests } from "./requests.ts";

/** `write` puts one stanza on the stream. */
export function createRoomWire(write: (stanza: string) => void, requests: Requests): RoomWire {
  return {
    enter(occupant, id, password) {
      const secret = password === undefined ? "" : `<password>${escapeXMLText(password)}</password>`;
      // Nothing of what was said before is wanted.
      const entry = `<x xmlns="${namespaces.muc}"><history maxstanzas="0" maxchars="0"/>${secret}</x>`;
      write(`<presence id="${escapeXML(id)}" to="${escapeXML(occupant.full)}">${entry}</presence>`);
    },
    leave(occupant) {
      write(`<presence type="unavailable" to="${escapeXML(occupant.full)}"/>`);
    },
    async isService(domain, timeoutMs) {
      const service = parseJid(domain);
      if ("problem" in service) return false;
      const reply = await requests.ask("get", service.jid, `<query xmlns="${namespaces.discoInfo}"/>`, timeoutMs);
      refuseError(reply, `What "${domain}" is could not be found out`);
      const identities = reply.getChild("query", namespaces.discoInfo)?.getChildren("identity") ?? [];
      return identities.some(({ attrs }) => attrs["category"] === "conference");
    },
    async hasUs(occupant, timeoutMs) {
      const reply = await requests.ask("get", occupant, `<ping xmlns="${namespaces.ping}"/>`, timeoutMs);
      // The ping has come through to a client of ours, or was kept from it; only others get to hear that they are outside.
      return reply.attrs["type"] === "result" || throughTheRoom.has(readError(reply).condition);
    },
    async open(room, timeoutMs) {
      const form = `<x xmlns="${namespaces.dataForms}" type="submit"/>`;
      const owned = `<query xmlns="${namespaces.mucOwner}">${form}</query>`;
      refuseError(await requests.ask("set", room, owned, timeoutMs), `The room "${room.full}" could not be made`);
    },
    async destroy(room, timeoutMs) {
      const owned = `<query xmlns="${namespaces.mucOwner}"><destroy/></query>`;
      refuseError(await requests.ask("set", room, owned, timeoutMs), `The room "${room.full}" could not be removed`);
    },
  };
}

/** XEP-0410 section 3.1. */
const throughTheRoom: ReadonlySet<string> = new Set([
  "service-unavailable",
  "feature-not-implemented",
  "item-not-found",
]);

function refuseError(reply: Element, refused: string): void {
  if (reply.attrs["type"] !== "error") return;
  const { condition, type, cause } = readError(reply);
  throw refusal(refused, stanzaRow(condition), type, cause);
}
