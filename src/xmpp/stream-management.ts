/** XEP-0198: switching it on behind a new session, and taking a session up again on a new stream. */

import type { Element } from "@xmpp/xml";
import { escapeXML } from "@xmpp/xml";
import { namespaces } from "./namespaces.ts";
import { OutboundCount } from "./outbound.ts";
import type { XmppStream } from "./stream.ts";

/** The session on the server, as far as a later stream can take it up again. */
export interface ServerSession {
  /** Undefined: the server acknowledges, and forgets the session with its stream. */
  readonly resumptionId: string | undefined;
  readonly outbound: OutboundCount;
  /** Stanzas received, modulo 2^32. */
  received: number;
  /** Messages that were acknowledged and not echoed; below 0: that were echoed and not acknowledged. */
  unechoed: number;
  /** The server has told its last count and then ended the stream: what that does not cover, it has not handled. */
  finished: boolean;
  /** How many unacknowledged messages it had handled, as it told when it refused to go on with the session. */
  handledInAll?: number;
  /** The server is known to refuse before it acknowledges. */
  refusesFirst: boolean;
}

/** Undefined when the server does not offer it, or refuses. */
export async function enableStreamManagement(
  stream: XmppStream,
  features: Element,
  signal: AbortSignal,
): Promise<ServerSession | undefined> {
  if (features.getChild("sm", namespaces.streamManagement) === undefined) return undefined;
  stream.push(`<enable xmlns="${namespaces.streamManagement}" resume="true"/>`);
  for (;;) {
    const reply = await stream.next(signal);
    if (reply.is("enabled", namespaces.streamManagement)) {
      const { id, resume } = reply.attrs;
      // The `location` that a server may prefer is not followed: the settings, or DNS, say where to connect.
      const resumptionId = resume === "true" || resume === "1" ? id : undefined;
      return {
        resumptionId,
        outbound: new OutboundCount(),
        received: 0,
        unechoed: 0,
        finished: false,
        refusesFirst: false,
      };
    }
    if (reply.is("failed", namespaces.streamManagement)) return undefined;
    // A stanza may come before the reply: the session is bound and reachable already.
    if (!["message", "presence", "iq"].includes(reply.getName())) throw stream.unexpected(reply, "<enabled/>");
  }
}

export interface ResumeAttempt {
  /** Undefined: the server does not know the session any more. */
  readonly session: ServerSession | undefined;
  /** How many of the session's unacknowledged messages had been handled; undefined: the server does not say. */
  readonly handled: number | undefined;
}

/** A stream on which it failed can still be bound. Rejects with `protocol_error` for an `h` that cannot be. */
export async function resumeSession(
  stream: XmppStream,
  features: Element,
  previous: ServerSession,
  signal: AbortSignal,
): Promise<ResumeAttempt> {
  const { resumptionId, outbound, received } = previous;
  const offered = features.getChild("sm", namespaces.streamManagement) !== undefined;
  // The connection may have been lost between an earlier refusal and the new session.
  const handledAtEnd = previous.handledInAll ?? (previous.finished ? 0 : undefined);
  if (resumptionId === undefined || !offered) return { session: undefined, handled: handledAtEnd };
  stream.push(`<resume xmlns="${namespaces.streamManagement}" h="${received}" previd="${escapeXML(resumptionId)}"/>`);
  const reply = await stream.next(signal);
  const h = readCount(reply);
  if (reply.is("resumed", namespaces.streamManagement) && h !== undefined) {
    const handled = outbound.acknowledge(h);
    // What was not handled is sent again, and counted again, on the new stream.
    const unechoed = Math.max(0, previous.unechoed + handled);
    const session = { ...previous, outbound: new OutboundCount(h), unechoed, finished: false };
    return { session, handled };
  }
  if (reply.is("failed", namespaces.streamManagement)) {
    // XEP-0198 section 5: `h` is there if the server remembers that much.
    if (h === undefined) return { session: undefined, handled: handledAtEnd };
    previous.handledInAll = (previous.handledInAll ?? 0) + outbound.acknowledge(h);
    return { session: undefined, handled: previous.handledInAll };
  }
  throw stream.unexpected(reply, "<resumed/>");
}

/** `h`, if it is a count of stanzas. */
export function readCount({ attrs: { h = "" } }: Element): number | undefined {
  const count = /^\d{1,10}$/.test(h) ? Number(h) : Number.NaN;
  return count <= 0xffff_ffff ? count : undefined;
}
