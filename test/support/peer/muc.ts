/**
 * A conference service behind the scripted peer, for what no real one does: it lets everybody in and shows what is said,
 * until a test says otherwise.
 *
 *     const rooms = new ScriptedRooms();
 *     const peer = await startPeer({ onStanza: rooms.onStanza });
 */

import { childOf, escapeXml, firstChildOf, textOf, type XmlElement } from "../xml-element.ts";
import type { PeerConnection } from "./connection.ts";
import { discoInfoNamespace, pingNamespace } from "./namespaces.ts";
import { iqResult, type StanzaErrorDetails, stanzaError } from "./replies.ts";

const mucNamespace = "http://jabber.org/protocol/muc";
const service = "rooms.example.com";

export interface RoomHooks {
  /** What comes of the wish to enter: status codes beside 110, an error, or nothing. Default: no further codes. */
  enters?(occupant: string, connection: PeerConnection): readonly number[] | StanzaErrorDetails | "silence";
  /** How the room answers our leaving. Default: not at all. */
  leaves?(occupant: string, connection: PeerConnection): void;
  /** True: the room does nothing of its own with the message. */
  says?(message: XmlElement, connection: PeerConnection): boolean;
  /** True: the test has answered. */
  asks?(request: XmlElement, connection: PeerConnection): boolean;
}

export class ScriptedRooms {
  hooks: RoomHooks = {};
  /** What has come in, in order: "enter lobby/alice", "leave lobby/alice", "say lobby: hi", "ping …", "disco …", "owner …". */
  readonly journal: string[] = [];
  /** By the full JID of the client, then by room: as whom it is inside. */
  readonly #inside = new Map<string, Map<string, string>>();

  readonly onStanza = (stanza: XmlElement, connection: PeerConnection): boolean => {
    const [room = "", nick] = (stanza.attributes["to"] ?? "").split("/", 2);
    if (room !== service && !room.endsWith(`@${service}`)) return false;
    const name = room.slice(0, -service.length - 1);
    if (stanza.name === "presence") this.#present(stanza, name, nick ?? "", connection);
    else if (stanza.name === "iq") this.#asked(stanza, room, connection);
    else this.#said(stanza, name, connection);
    return true;
  };

  /** Puts the client out of the room, as a moderator would: 307, 301, or with `<destroy/>`. */
  putOut(connection: PeerConnection, name: string, how: string): void {
    const occupant = this.#of(connection).get(name) ?? "";
    this.#of(connection).delete(name);
    connection.deliver(presence(occupant, connection, "unavailable", `${how}<status code='110'/>`));
  }

  /** What a service answers to our leaving. */
  confirmLeaving(occupant: string, connection: PeerConnection): void {
    connection.deliver(presence(occupant, connection, "unavailable", "<status code='110'/>"));
  }

  /** Forgets its occupants without a word, as after a crash. */
  forget(): void {
    this.#inside.clear();
  }

  /** The room's own copy of a message. */
  copy(
    message: XmlElement,
    connection: PeerConnection,
    changes: { readonly from?: string; readonly id?: string } = {},
  ) {
    const room = message.attributes["to"] ?? "";
    const from = changes.from ?? this.#of(connection).get(room.slice(0, -service.length - 1)) ?? "";
    const id = changes.id ?? message.attributes["id"] ?? "";
    const body = escapeXml(textOf(childOf(message, "body")));
    connection.deliver(
      `<message from='${escapeXml(from)}' to='${connection.jid}' type='groupchat' id='${escapeXml(id)}'><body>${body}</body></message>`,
    );
  }

  #of(connection: PeerConnection): Map<string, string> {
    const jid = connection.jid ?? "";
    const rooms = this.#inside.get(jid) ?? new Map<string, string>();
    this.#inside.set(jid, rooms);
    return rooms;
  }

  #present(stanza: XmlElement, name: string, nick: string, connection: PeerConnection): void {
    const occupant = `${name}@${service}/${nick}`;
    const rooms = this.#of(connection);
    if (stanza.attributes["type"] === "unavailable") {
      this.journal.push(`leave ${name}/${nick}`);
      rooms.delete(name);
      this.hooks.leaves?.(occupant, connection);
      return;
    }
    this.journal.push(`enter ${name}/${nick}`);
    const verdict = this.hooks.enters?.(occupant, connection) ?? [];
    if (verdict === "silence") return;
    if ("condition" in verdict) return connection.deliver(stanzaError(stanza, verdict));
    const before = rooms.get(name);
    if (before !== undefined && before !== occupant) {
      connection.deliver(presence(before, connection, "unavailable", "<status code='303'/><status code='110'/>"));
    }
    rooms.set(name, occupant);
    const codes = [...verdict, 110].map((code) => `<status code='${code}'/>`).join("");
    connection.deliver(presence(`${name}@${service}/somebody`, connection, undefined, ""));
    connection.deliver(presence(occupant, connection, undefined, codes));
  }

  #said(message: XmlElement, name: string, connection: PeerConnection): void {
    this.journal.push(`say ${name}: ${textOf(childOf(message, "body"))}`);
    if (this.hooks.says?.(message, connection)) return;
    if (!this.#of(connection).has(name)) {
      return connection.deliver(stanzaError(message, { condition: "not-acceptable", type: "cancel" }));
    }
    if (message.attributes["type"] === "groupchat") this.copy(message, connection);
  }

  #asked(iq: XmlElement, room: string, connection: PeerConnection): void {
    const payload = firstChildOf(iq);
    const what =
      payload?.namespace === pingNamespace ? "ping" : payload?.namespace === discoInfoNamespace ? "disco" : "owner";
    const inner = what === "owner" && payload !== undefined ? `: ${firstChildOf(payload)?.name}` : "";
    this.journal.push(`${what} ${iq.attributes["to"]}${inner}`);
    if (this.hooks.asks?.(iq, connection)) return;
    const name = room.slice(0, -service.length - 1);
    if (what === "ping" && !this.#of(connection).has(name)) {
      return connection.deliver(stanzaError(iq, { condition: "not-acceptable" }));
    }
    const identity = `<query xmlns='${discoInfoNamespace}'><identity category='conference' type='text'/></query>`;
    connection.deliver(iqResult(iq, what === "disco" ? identity : ""));
  }
}

function presence(from: string, { jid }: PeerConnection, type: string | undefined, inner: string): string {
  const kind = type === undefined ? "" : ` type='${type}'`;
  return `<presence from='${escapeXml(from)}' to='${jid}'${kind}><x xmlns='${mucNamespace}#user'>${inner}</x></presence>`;
}
