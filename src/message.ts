/** The domain words: who sends, what is sent, and what proves that it was taken. */

import type { Jid } from "./jid.ts";

/** RFC 6121 section 5.2.2 without `error`, which only servers and clients answer with. */
export const messageTypes = ["chat", "normal", "headline", "groupchat"] as const;
export type MessageType = (typeof messageTypes)[number];

export interface Credentials {
  /** Bare. */
  readonly account: Jid;
  readonly password: string;
  /** The same object for the same account and password, where that is known: what is worked out for them stays with it. */
  readonly identity?: object;
}

/** A text, or the same text in several languages by their tags (BCP 47), which differ in more than letter case. */
export type Text = string | Readonly<Record<string, string>>;

/** A room, somebody in a room, or anybody else. */
export type Destination = "room" | "occupant" | "elsewhere";

/** One message, valid: every text in it can be carried by XML 1.0. */
export interface Message {
  /** The stanza's id and its origin-id (XEP-0359). */
  readonly id: string;
  readonly to: Jid;
  readonly type: MessageType;
  /** The type is not the caller's: it is groupchat if the recipient turns out to be a room. */
  readonly untyped?: boolean | undefined;
  /** How a room is entered, where it says so. */
  readonly room?: { readonly password?: string; readonly create?: boolean } | undefined;
  /** The language of its texts, where they do not say another (BCP 47). */
  readonly lang?: string | undefined;
  readonly body?: Text | undefined;
  /** A well-formed XHTML fragment (XEP-0071), without its `<html/>` and `<body/>`. */
  readonly html?: string | undefined;
  /** Asks the recipient's client for a delivery receipt (XEP-0184). */
  readonly requestReceipt?: boolean | undefined;
  /** Left out where there are none, as in nearly all messages. */
  readonly extensions?: Extensions | undefined;
  /** XML of the caller's that is passed on: elements, well-formed, each with its namespace. */
  readonly elements?: string | undefined;
}

export const chatStates = ["active", "inactive", "gone", "composing", "paused"] as const;

/** What a message may carry beside its body. Which element of which XEP each becomes stands in src/fields/elements.ts. */
export interface Extensions {
  readonly subject?: Text;
  readonly thread?: { readonly id: string; readonly parent?: string };
  readonly nick?: string;
  readonly oob?: { readonly url: string; readonly desc?: string };
  readonly state?: (typeof chatStates)[number];
  /** The id of the message that this one corrects. */
  readonly replace?: string;
  readonly reply?: { readonly id: string; readonly to?: string };
  readonly reactions?: { readonly id: string; readonly reactions: readonly string[] };
  readonly attach_to?: string;
  readonly reference?: {
    readonly type: string;
    readonly uri: string;
    readonly begin?: number;
    readonly end?: number;
  };
  readonly markable?: true;
  /** The id of the message that has been displayed. */
  readonly displayed?: string;
  readonly invite?: {
    readonly jid: string;
    readonly password?: string;
    readonly reason?: string;
    readonly continue?: boolean;
    readonly thread?: string;
  };
  readonly payload?: { readonly datatype: string; readonly json: string };
  /** When the message was meant to be sent (XEP-0082). */
  readonly delay?: string;
  readonly fallback?: true | Fallback;
  /** The namespace of the encryption that the message comes in. */
  readonly encryption?: string;
}

/** Which part of which text is there only for clients that do not know the XEP whose namespace is `for`. */
export interface Fallback {
  readonly for?: string;
  /** In characters; the whole text where it says nothing. */
  readonly body?: FallbackRange;
  readonly subject?: FallbackRange;
}
export interface FallbackRange {
  readonly start?: number;
  readonly end?: number;
}

/** The sender's server has taken responsibility for the message. */
export interface Receipt {
  readonly id: string;
  /** The sender's bare JID. */
  readonly from: string;
  readonly to: string;
  readonly type: MessageType;
  /** Only if the caller wanted to wait: whether the recipient's client has confirmed it (XEP-0184). */
  readonly status?: "received" | "accepted";
}
