/**
 * A bound stream as a Link: it writes what the session hands over, asks for acknowledgements behind it (asking.ts), and
 * tells the session what the server and others say. Nothing here waits for anything.
 */

import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Link, LinkEvents, OutgoingStanza, Reconnection } from "../link.ts";
import { createAsking, requestAcknowledgement } from "./asking.ts";
import { readBounce, readReceipt, readRoomPresence } from "./inbound.ts";
import { identityRequest, isProsody, pingRequest, replyTo } from "./iq.ts";
import { startKeepalive } from "./keepalive.ts";
import { namespaces } from "./namespaces.ts";
import { createRequests } from "./requests.ts";
import { createRoomWire } from "./room-wire.ts";
import { delayed } from "./stanza.ts";
import type { XmppStream } from "./stream.ts";
import { readCount, type ServerSession } from "./stream-management.ts";

/** How long the other side may take to close its side of the stream. */
const closeTimeoutMs = 2_000;
const usualKeepaliveAnswerMs = 30_000;
/** Answers that wait for the server to read them, in UTF-16 code units; one that asks on and reads nothing is cut off. */
const maxUnreadAnswers = 1024 * 1024;
/** What ejabberd needs to refuse what it has acknowledged, with room to spare. */
const usualGraceMs = 10;

export interface LiveOptions {
  readonly stream: XmppStream;
  readonly jid: Jid;
  readonly events: LinkEvents;
  readonly maxStanzaBytes: number | undefined;
  /** Milliseconds, or 0 or 10 by what the server says it is. */
  readonly grace: number | "auto";
  /** After so many milliseconds without a word from the server it is asked for one. */
  readonly keepaliveMs: number;
  /** How long that word may take; default 30,000. */
  readonly keepaliveAnswerMs?: number | undefined;
  /** Undefined: the server has no XEP-0198. */
  readonly session: ServerSession | undefined;
  readonly reconnect: (signal: AbortSignal) => Promise<Reconnection>;
}

export function openLink({
  stream,
  jid,
  events,
  maxStanzaBytes,
  keepaliveMs,
  keepaliveAnswerMs = usualKeepaliveAnswerMs,
  grace,
  session,
  reconnect,
}: LiveOptions): Link {
  let refusesFirst = session?.refusesFirst ?? false;
  let onEnded: (() => void) | undefined;
  let closing = false;
  let over = false;
  let unreadAnswers = 0;

  const drained = () => {
    unreadAnswers = 0;
    events.drained();
  };
  // `<r/>` or a ping is never left without an answer; any word is enough.
  const keepalive = startKeepalive({
    silenceMs: keepaliveMs,
    answerMs: keepaliveAnswerMs,
    ask: () => push(session === undefined ? pingRequest("alive", jid.domain) : requestAcknowledgement),
    giveUp: () => stream.end(unanswering(jid)),
  });
  const asking = createAsking({ domain: jid.domain, session, events, wantsEcho: () => graceMs() !== 0, push });
  const requests = createRequests(write);
  const { socket } = stream;
  socket?.on("drain", drained);
  stream.consume(handle, lost);
  if (grace === "auto" && !refusesFirst) write(identityRequest("who", jid.domain));
  if (session !== undefined && session.unechoed > 0) push(asking.requests());

  return {
    jid,
    maxStanzaBytes,
    resumable: session?.resumptionId !== undefined,
    get graceMs() {
      return graceMs();
    },
    rooms: createRoomWire(write, requests),
    send,
    close,
    abort: (reason) => stream.end(reason),
    reconnect,
  };

  function graceMs(): number {
    if (grace !== "auto") return grace;
    return refusesFirst ? 0 : usualGraceMs;
  }

  function send(stanzas: readonly OutgoingStanza[]): boolean {
    let text = "";
    for (const { stanza, delayedSince } of stanzas) {
      const written = delayedSince ? delayed(stanza, delayedSince) : stanza;
      text += written;
      text += asking.sent(written.length);
    }
    return push(text + asking.requests());
  }

  /** A stanza that is not one of the session's messages. */
  function write(stanza: string): void {
    if (closing || over) return;
    session?.outbound.sent("other");
    push(stanza);
  }

  /** Nothing may follow the end of our side of the stream (RFC 6120 section 4.4). True: the socket takes more. */
  function push(text: string): boolean {
    return closing || text === "" || stream.push(text);
  }

  function handle(element: Element): void {
    keepalive.heard();
    const name = element.getName();
    asking.otherWord();
    if (element.getNS() === namespaces.streamManagement) {
      if (name === "a" && session !== undefined) asking.acknowledged(readCount(element), session);
      if (name === "r" && session !== undefined) reply(acknowledgement(session));
      return;
    }
    if (name !== "message" && name !== "iq" && name !== "presence") return;
    if (session !== undefined) session.received = (session.received + 1) >>> 0;
    if (name === "iq") heed(element);
    if (name === "message") read(element);
    if (name === "presence") notice(element);
  }

  function heed(iq: Element): void {
    const { type, id, from } = iq.attrs;
    if (type === "result" || type === "error") {
      if (requests.heed(iq) || !isOurServer(from)) return;
      asking.replied(id);
      if (id === "who") refusesFirst = isProsody(iq);
      return;
    }
    const answer = replyTo(iq);
    if (answer === undefined) return;
    session?.outbound.sent("other");
    reply(answer);
  }

  function reply(text: string): void {
    if (push(text)) return;
    unreadAnswers += text.length;
    if (unreadAnswers <= maxUnreadAnswers) return;
    const detail = `The XMPP server of "${jid.domain}" asks without reading the answers, which ends the stream.`;
    stream.end(new Failure("protocol_error", detail));
  }

  function isOurServer(from: string | undefined): boolean {
    return from === undefined || from === jid.domain || from === jid.bare || from === jid.full;
  }

  function read(message: Element): void {
    const { type, id, from } = message.attrs;
    if (type === "groupchat") {
      if (from !== undefined) events.saidInRoom({ id, from });
      return;
    }
    if (type === "error") {
      const bounce = readBounce(message);
      if (bounce !== undefined) events.bounced(bounce);
      return;
    }
    const receipt = readReceipt(message);
    if (receipt !== undefined) events.received(receipt);
  }

  function notice(presence: Element): void {
    const noticed = readRoomPresence(presence);
    if (noticed !== undefined) events.present(noticed);
  }

  function lost(reason: Failure): void {
    over = true;
    asking.end();
    requests.stop(reason);
    keepalive.stop();
    socket?.off("drain", drained);
    if (session !== undefined) {
      asking.leave(session, stream.endedByServer);
      session.refusesFirst = refusesFirst;
    }
    onEnded?.();
    events.lost(reason);
  }

  async function close(): Promise<void> {
    if (closing || over) return;
    const ended = new Promise<void>((resolve) => {
      onEnded = resolve;
    });
    push(`${session === undefined ? "" : acknowledgement(session)}${stream.footer()}`);
    closing = true;
    asking.end();
    const timer = setTimeout(
      () => stream.end(new Failure("stream_closed", `The stream of "${jid.bare}" was closed by post-msg.`)),
      closeTimeoutMs,
    );
    await ended;
    clearTimeout(timer);
  }
}

function acknowledgement({ received }: ServerSession): string {
  return `<a xmlns="${namespaces.streamManagement}" h="${received}"/>`;
}

function unanswering({ domain }: Jid): Failure {
  return new Failure("stream_closed", `The XMPP server of "${domain}" does not answer any more.`);
}
