/** The domain words: who sends, what is sent, and what proves that it was taken. */

import type { Jid } from "./jid.ts";

/** RFC 6121 section 5.2.2 without `error`, which only servers and clients answer with. */
export const messageTypes = ["chat", "normal", "headline", "groupchat"] as const;
export type MessageType = (typeof messageTypes)[number];

export interface Credentials {
  /** Bare. */
  readonly account: Jid;
  readonly password: string;
}

/** One message, valid: every text in it can be carried by XML 1.0. */
export interface Message {
  /** The stanza's id and its origin-id (XEP-0359). */
  readonly id: string;
  readonly to: Jid;
  readonly type: MessageType;
  readonly body?: string;
  /** A well-formed XHTML fragment (XEP-0071), without its `<html/>` and `<body/>`. */
  readonly html?: string;
  /** Asks the recipient's client for a delivery receipt (XEP-0184). */
  readonly requestReceipt?: boolean;
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
