/** Steps 5 to 7 of a request: the sender's session, onto the stream, the server's word. */

import { Failure } from "./errors.ts";
import type { Jid } from "./jid.ts";
import type { Credentials, Message, Receipt } from "./message.ts";

export interface DeliverParts {
  /** The sender's live session; rejects with a Failure. */
  openSession(credentials: Credentials): Promise<DeliverSession>;
  toStanza(message: Message): string;
  /** What the sender's server takes in one stanza, in bytes. */
  readonly maxStanzaBytes: number;
}

interface DeliverSession {
  send(
    outgoing: { readonly id: string; readonly to: Jid; readonly stanza: string },
    signal: AbortSignal,
  ): Promise<void>;
}

export interface DeliverRequest {
  readonly credentials: Credentials;
  readonly message: Message;
  /** The caller has hung up. */
  readonly signal: AbortSignal;
}

export type Deliver = (request: DeliverRequest) => Promise<Receipt>;

/** A cached session can turn out to be gone; the message is then given to a fresh one, once. */
const maxAttempts = 2;

export function createDeliver(parts: DeliverParts): Deliver {
  return async function deliver({ credentials, message, signal }) {
    const { id, to, type } = message;
    const stanza = parts.toStanza(message);
    refuseTooLarge(stanza, parts.maxStanzaBytes);
    for (let attempt = 1; ; attempt++) {
      const session = await parts.openSession(credentials);
      try {
        await session.send({ id, to, stanza }, signal);
        return { id, from: credentials.account.bare, to: to.full, type };
      } catch (error) {
        // Only this code says that not a byte of the message was written.
        const unwritten = error instanceof Failure && error.code === "stream_closed";
        if (!unwritten || attempt === maxAttempts) throw error;
      }
    }
  };
}

function refuseTooLarge(stanza: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(stanza);
  if (bytes <= maxBytes) return;
  throw new Failure(
    "stanza_too_large",
    `The message makes a stanza of ${bytes} bytes, where the XMPP server takes at most ${maxBytes}.`,
  );
}
