/**
 * A link: one authenticated, encrypted stream of one account. This is all that a session (src/session) knows of XMPP and
 * all that the XMPP side (src/xmpp) has to provide.
 */

import type { Failure } from "./errors.ts";
import type { Jid } from "./jid.ts";
import type { Credentials } from "./message.ts";

/** A `<message type="error"/>` that came back. */
export interface Bounce {
  /** The id of the stanza that it answers. */
  readonly id: string;
  /** Who says so; absent means our own server (RFC 6120 section 8.1.2.1). */
  readonly from: Jid | undefined;
  /** What it says to who wrote to `recipient`: the bounce itself may come from another address. */
  refusal(recipient: string): Failure;
}

/** A delivery receipt (XEP-0184). */
export interface DeliveryReceipt {
  /** The id of the message that was received. */
  readonly id: string;
  readonly from: Jid;
}

/** A message of type groupchat that has come from a room; nothing else of it was kept. */
export interface RoomMessage {
  /** Ours, if it is the room's copy of a message that we have sent. */
  readonly id: string | undefined;
  /** As it came: `room@service/nick`. */
  readonly from: string;
}

/** What a room says of one of its occupants, or of our wish to be one (XEP-0045 section 7). */
export interface RoomPresence {
  /** The occupant; a refusal may also come from the room, its service or (absent) our own server. */
  readonly from: Jid | undefined;
  /** That of the presence which it answers. */
  readonly id: string | undefined;
  readonly kind: "inside" | "outside" | "refused";
  /** XEP-0045 section 15.6; 110 says that the occupant is us. */
  readonly codes: ReadonlySet<string>;
  /** The room is no more. */
  readonly destroyed: boolean;
  /** Why, to who wanted to enter `room`. */
  refusal(room: string): Failure;
}

/**
 * What a link tells its owner. An owner has one set of events for all the links it has one after another; of a link that
 * is lost, nothing comes any more.
 */
export interface LinkEvents {
  /** The server has handled the next `count` of the messages sent, in their order. */
  acknowledged(count: number): void;
  /** The reply has come to a ping sent behind the next `count` of the messages, in their order. */
  echoed(count: number): void;
  bounced(bounce: Bounce): void;
  received(receipt: DeliveryReceipt): void;
  /** Called for every message in every room that was entered: must be quick. */
  saidInRoom(message: RoomMessage): void;
  present(presence: RoomPresence): void;
  /** After `send` returned false: the socket takes more. */
  drained(): void;
  /** The link has ended, whoever ended it and why; called once, last. */
  lost(reason: Failure): void;
}

/** One message for the wire. */
export interface OutgoingStanza {
  readonly stanza: string;
  /** When it was first written, if this is not the first time. */
  readonly delayedSince: Date | undefined;
}

/** XEP-0045, for what a session does about rooms. Nothing here is acknowledged, resumed or sent again. */
export interface RoomWire {
  /** Asks to become `occupant`, or to go on as it; `present` tells what comes of it, with the same id. */
  enter(occupant: Jid, id: string, password: string | undefined): void;
  leave(occupant: Jid): void;
  /** Each of these rejects with a Failure when it is refused, when no answer comes in time, or the link is lost. */
  /** Whether a domain is a conference service. */
  isService(domain: string, timeoutMs: number): Promise<boolean>;
  /** Whether the room still has us as `occupant` (XEP-0410). */
  hasUs(occupant: Jid, timeoutMs: number): Promise<boolean>;
  /** Opens a room that has just been made, with its service's settings. */
  open(room: Jid, timeoutMs: number): Promise<void>;
  destroy(room: Jid, timeoutMs: number): Promise<void>;
}

export interface Link {
  readonly rooms: RoomWire;
  /** The full JID that the server bound. */
  readonly jid: Jid;
  /** What the server takes in one stanza (XEP-0478), in bytes; undefined where it does not say. */
  readonly maxStanzaBytes: number | undefined;
  /**
   * Milliseconds for which a refusal may still come after acknowledgement and echo; 0: refusals come before the
   * acknowledgement, and no echo is to be waited for. May fall to 0 once the server has told what it is.
   */
  readonly graceMs: number;
  /** Another connection can take the server's session up, with what it has acknowledged. */
  readonly resumable: boolean;
  /** Hands stanzas to the socket in one write, and asks the server to acknowledge them. False: the socket is full. */
  send(stanzas: readonly OutgoingStanza[]): boolean;
  /** Closes the stream as RFC 6120 section 4.4 wants it, within 2 s; then `lost` is called. */
  close(): Promise<void>;
  /** Ends the link at once, for `reason`; `lost` is called with it. */
  abort(reason: Failure): void;
  /**
   * After `lost`: connects, logs in as before, and takes the server's session up again (XEP-0198 section 5) or else begins
   * a new one. Rejects with a Failure; settles soon after `signal` aborts.
   */
  reconnect(signal: AbortSignal): Promise<Reconnection>;
}

export interface Reconnection {
  readonly link: Link;
  /** True: the server's session goes on, and what it had not handled is to be sent again. */
  readonly resumed: boolean;
  /** How many of the messages that were unacknowledged the server had handled; undefined: it does not say. */
  readonly handled: number | undefined;
}

/** What a login has to keep to. */
export interface LoginTerms {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Runs SASL, which a server may hold against us, as soon as it may be risked there; or rejects with a Failure. */
  admit: Admit;
}

/** `server`: its address and port, whose own ban tables know us. `over`: aborts when the stream has ended meanwhile. */
export type Admit = <T>(server: string, authenticate: () => Promise<T>, over: AbortSignal) => Promise<T>;

/** Connects, encrypts, logs in, binds a resource. Rejects with a Failure; settles soon after the signal aborts. */
export type Login = (credentials: Credentials, events: LinkEvents, terms: LoginTerms) => Promise<Link>;

/** Proves the password by a SASL login without binding a resource, and disconnects. Rejects with a Failure. */
export type Verify = (credentials: Credentials, terms: LoginTerms) => Promise<void>;
