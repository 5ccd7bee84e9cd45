/**
 * What is asked of the server behind the messages of one link, and what its answers cover. Where the server has XEP-0198,
 * `<r/>` asks and `h` answers. Where it has not, a ping (XEP-0199) behind the stanzas asks, and its reply covers what was
 * written before it, because a server handles one client's stanzas in order (RFC 6120 section 10.1). Where a server
 * refuses after it has acknowledged, the ping is sent beside the `<r/>`.
 */

import { Failure } from "../errors.ts";
import type { LinkEvents } from "../link.ts";
import { pingRequest } from "./iq.ts";
import { namespaces } from "./namespaces.ts";
import type { ServerSession } from "./stream-management.ts";

export const requestAcknowledgement = `<r xmlns="${namespaces.streamManagement}"/>`;
/** When to ask again after an answer that covered less than was asked for; at once would be a loop at line speed. */
const askAgainMs = 250;
/**
 * After so much a further request is written, though the answer to the last one is still to come: behind more, it would
 * come too late from a server that lets 3 kB a second pass.
 */
const mostUnasked = 3_000;

export interface AskingOptions {
  /** The server's own, which pings are sent to. */
  readonly domain: string;
  readonly session: ServerSession | undefined;
  readonly events: Pick<LinkEvents, "acknowledged" | "echoed">;
  /** Whether the server may refuse what it has acknowledged. */
  wantsEcho(): boolean;
  push(text: string): void;
}

export interface Asking {
  /** A message of so many UTF-16 code units is written; returns what has to be written right behind it. */
  sent(length: number): string;
  /**
   * What has to be written behind the messages: one request of each kind is outstanding at a time. The ping comes first, so
   * that the `<r/>` covers it.
   */
  requests(): string;
  /** `<a h=…/>`. */
  acknowledged(handled: number | undefined, session: ServerSession): void;
  /** A reply of the server to the ping or another request with this id. */
  replied(id: string | undefined): void;
  /** Something else has come than `<a/>`. */
  otherWord(): void;
  /** Nothing is to be asked any more. */
  end(): void;
  /** Leaves in the server's session what a later link has to know. */
  leave(session: ServerSession, endedByServer: boolean): void;
}

export function createAsking({ domain, session, events, wantsEcho, push }: AskingOptions): Asking {
  // Counts of messages on this link; `unechoed` ones of an earlier stream come first.
  let sent = session?.unechoed ?? 0;
  let acknowledged = sent;
  let echoed = 0;
  /** What each outstanding `<r/>` asks for, and up to which message each outstanding ping reaches; oldest first. */
  const requested: number[] = [];
  const pinged: number[] = [];
  /** Written since anything was asked for, in UTF-16 code units. */
  let unasked = 0;
  let askAgain: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  /** The last word of the server was a count that nobody had asked for: more than it told, it has not handled. */
  let lastCount = false;

  return {
    sent(length) {
      session?.outbound.sent("message");
      sent += 1;
      unasked += length;
      return unasked >= mostUnasked ? ask("also behind others") : "";
    },
    requests: () => ask(),
    acknowledged(handled, { outbound }) {
      if (handled === undefined) {
        throw new Failure("protocol_error", "The XMPP server acknowledged without a count of stanzas.");
      }
      const asked = requested.shift();
      lastCount = asked === undefined || !covers(handled, asked);
      const messages = outbound.acknowledge(handled);
      acknowledged += messages;
      if (messages > 0) events.acknowledged(messages);
      if (acknowledged === sent || requested.length > 0) return;
      if (asked !== undefined && covers(handled, asked)) push(ask());
      else if (!ended) askAgain ??= setTimeout(repeatRequest, askAgainMs);
    },
    replied(id) {
      const upTo = pinged.find((total) => id === `echo-${total}`);
      if (upTo !== undefined) echo(upTo);
    },
    otherWord: () => {
      lastCount = false;
    },
    end: () => {
      ended = true;
      clearTimeout(askAgain);
    },
    leave(left, endedByServer) {
      left.unechoed = acknowledged - echoed;
      left.finished = lastCount && endedByServer;
    },
  };

  function ask(also?: "also behind others"): string {
    if (ended) return "";
    let text = "";
    const echoes = session === undefined || wantsEcho();
    if (echoes && (also !== undefined || pinged.length === 0) && sent > (pinged.at(-1) ?? echoed)) {
      pinged.push(sent);
      session?.outbound.sent("other");
      text += pingRequest(`echo-${sent}`, domain);
    }
    if (session !== undefined && (also !== undefined || requested.length === 0) && sent > acknowledged) {
      requested.push(session.outbound.total);
      text += requestAcknowledgement;
    }
    if (text !== "") unasked = 0;
    return text;
  }

  function repeatRequest(): void {
    askAgain = undefined;
    push(ask());
  }

  function echo(upTo: number): void {
    const count = upTo - echoed;
    pinged.splice(0, pinged.indexOf(upTo) + 1);
    echoed = upTo;
    if (session === undefined) {
      acknowledged = upTo;
      events.acknowledged(count);
    }
    events.echoed(count);
    if (sent > echoed) push(ask());
  }
}

/** Of two counts modulo 2^32 that lie near each other. */
function covers(handled: number, asked: number): boolean {
  return (handled - asked) >>> 0 < 0x8000_0000;
}
