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
  readonly failure: Failure;
}

/** What a link tells its owner. Never called before `Login` has resolved, never after `lost`. */
export interface LinkEvents {
  /** The server has handled the next `count` of the messages sent on this link, in their order. */
  acknowledged(count: number): void;
  bounced(bounce: Bounce): void;
  /** After `send` returned false: the socket takes more. */
  drained(): void;
  /** The link has ended, whoever ended it and why; called exactly once, last. */
  lost(reason: Failure): void;
}

export interface Link {
  /** The full JID that the server bound. */
  readonly jid: Jid;
  /** Hands stanzas to the socket in one write, and asks the server to acknowledge them. False: the socket is full. */
  send(stanzas: readonly string[]): boolean;
  /** Closes the stream as RFC 6120 section 4.4 wants it, within 2 s; then `lost` is called. */
  close(): Promise<void>;
  /** Ends the link at once, for `reason`; `lost` is called with it. */
  abort(reason: Failure): void;
}

/** Connects, encrypts, logs in, binds a resource. Rejects with a Failure; settles soon after `signal` aborts. */
export type Login = (credentials: Credentials, events: LinkEvents, signal: AbortSignal) => Promise<Link>;

/** Proves the password by a SASL login without binding a resource, and disconnects. Rejects with a Failure. */
export type Verify = (credentials: Credentials, signal: AbortSignal) => Promise<void>;
