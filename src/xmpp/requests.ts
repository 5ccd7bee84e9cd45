/** What a link asks others (RFC 6120 section 8.2.3): each request has an id of its own, and an end to its waiting. */

import type { Element } from "@xmpp/xml";
import { escapeXML } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";

export interface Requests {
  /** Resolves with the reply, which may be an error; rejects with a Failure when none comes in time. `payload` is XML. */
  ask(type: "get" | "set", to: Jid, payload: string, timeoutMs: number): Promise<Element>;
  /** Whether it is the reply to one of them. */
  heed(reply: Element): boolean;
  /** No reply will come any more. */
  stop(reason: Failure): void;
}

interface Pending {
  readonly to: Jid;
  readonly resolve: (reply: Element) => void;
  readonly reject: (reason: Failure) => void;
}

/** `write` puts one stanza on the stream. */
export function createRequests(write: (stanza: string) => void): Requests {
  const pending = new Map<string, Pending>();
  let stopped: Failure | undefined;

  return {
    async ask(type, to, payload, timeoutMs) {
      if (stopped !== undefined) throw stopped;
      const id = crypto.randomUUID();
      const { promise, resolve, reject } = Promise.withResolvers<Element>();
      pending.set(id, { to, resolve, reject });
      const timer = setTimeout(() => reject(unanswered(to)), timeoutMs);
      write(`<iq type="${type}" id="${id}" to="${escapeXML(to.full)}">${payload}</iq>`);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        pending.delete(id);
      }
    },
    heed(reply) {
      const asked = pending.get(reply.attrs["id"] ?? "");
      if (asked === undefined) return false;
      // Its id alone could be anybody's.
      const from = parseJid(reply.attrs["from"] ?? "");
      if ("problem" in from || from.jid.full !== asked.to.full) return false;
      asked.resolve(reply);
      return true;
    },
    stop(reason) {
      stopped = reason;
      for (const { reject } of pending.values()) reject(reason);
    },
  };
}

function unanswered({ full }: Jid): Failure {
  return new Failure("remote_server_timeout", `"${full}" did not answer a question in time.`);
}
