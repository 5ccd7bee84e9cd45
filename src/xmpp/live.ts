/**
 * A bound stream as a Link: it writes what the session hands over, asks for acknowledgements behind it, and tells the
 * session what the server says. Nothing here waits for anything.
 *
 * Where the server has XEP-0198, `<r/>` asks and `h` answers. Where it has not, a ping (XEP-0199) behind the stanzas asks,
 * and its reply covers what was written before it, because a server handles one client's stanzas in order (RFC 6120
 * section 10.1). Where a server refuses after it has acknowledged, the ping is sent beside the `<r/>`.
 */

import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Link, LinkEvents, OutgoingStanza, Reconnection } from "../link.ts";
import { readBounce, readReceipt } from "./inbound.ts";
import { identityRequest, isProsody, pingRequest, replyTo } from "./iq.ts";
import { startKeepalive } from "./keepalive.ts";
import { namespaces } from "./namespaces.ts";
import { delayed } from "./stanza.ts";
import type { XmppStream } from "./stream.ts";
import { readCount, type ServerSession } from "./stream-management.ts";

/** How long the other side may take to close its side of the stream. */
const closeTimeoutMs = 2_000;
/** When to ask again after an answer that covered less than was asked for; at once would be a loop at line speed. */
const askAgainMs = 250;
const usualKeepaliveAnswerMs = 30_000;
const requestAcknowledgement = `<r xmlns="${namespaces.streamManagement}"/>`;
/**
 * After so much a further request is written, though the answer to the last one is still to come: behind more, it would
 * come too late from a server that lets 3 kB a second pass.
 */
const mostUnasked = 3_000;
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
  let refusesFirst = session?.refusesFirst ?? false;
  let onEnded: (() => void) | undefined;
  let closing = false;
  let over = false;
  /** The last word of the server was a count that nobody had asked for: more than it told, it has not handled. */
  let lastCount = false;
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
  const { socket } = stream;
  socket?.on("drain", drained);
  stream.consume(handle, lost);
  if (grace === "auto" && !refusesFirst) {
    session?.outbound.sent("other");
    push(identityRequest("who", jid.domain));
  }
  if (sent > 0) push(requests());

  return {
    jid,
    maxStanzaBytes,
    resumable: session?.resumptionId !== undefined,
    get graceMs() {
      return graceMs();
    },
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
      session?.outbound.sent("message");
      sent += 1;
      unasked += written.length;
      if (unasked >= mostUnasked) text += requests("also behind others");
    }
    return push(text + requests());
  }

  /**
   * One of each kind is outstanding at a time, but where much is written behind it. The ping comes first, so that the
   * `<r/>` covers it.
   */
  function requests(also?: "also behind others"): string {
    let text = "";
    const wantsEcho = session === undefined || graceMs() !== 0;
    if (wantsEcho && (also !== undefined || pinged.length === 0) && sent > (pinged.at(-1) ?? echoed)) {
      pinged.push(sent);
      session?.outbound.sent("other");
      text += pingRequest(`echo-${sent}`, jid.domain);
    }
    if (session !== undefined && (also !== undefined || requested.length === 0) && sent > acknowledged) {
      requested.push(session.outbound.total);
      text += requestAcknowledgement;
    }
    if (text !== "") unasked = 0;
    return text;
  }

  /** Nothing may follow the end of our side of the stream (RFC 6120 section 4.4). True: the socket takes more. */
  function push(text: string): boolean {
    return closing || text === "" || stream.push(text);
  }

  function handle(element: Element): void {
    keepalive.heard();
    const name = element.getName();
    lastCount = false;
    if (element.getNS() === namespaces.streamManagement) {
      if (name === "a" && session !== undefined) acknowledge(readCount(element), session);
      if (name === "r" && session !== undefined) reply(acknowledgement(session));
      return;
    }
    if (name !== "message" && name !== "iq" && name !== "presence") return;
    if (session !== undefined) session.received = (session.received + 1) >>> 0;
    if (name === "iq") heed(element);
    if (name === "message") read(element);
  }

  function acknowledge(handled: number | undefined, { outbound }: ServerSession): void {
    if (handled === undefined) {
      throw new Failure("protocol_error", "The XMPP server acknowledged without a count of stanzas.");
    }
    const asked = requested.shift();
    lastCount = asked === undefined || !covers(handled, asked);
    const messages = outbound.acknowledge(handled);
    acknowledged += messages;
    if (messages > 0) events.acknowledged(messages);
    if (closing || acknowledged === sent || requested.length > 0) return;
    if (asked !== undefined && covers(handled, asked)) push(requests());
    else askAgain ??= setTimeout(repeatRequest, askAgainMs);
  }

  function repeatRequest(): void {
    askAgain = undefined;
    push(requests());
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
    if (!closing && sent > echoed) push(requests());
  }

  function heed(iq: Element): void {
    const { type, id, from } = iq.attrs;
    if (type === "result" || type === "error") {
      if (!isOurServer(from)) return;
      const upTo = pinged.find((total) => id === `echo-${total}`);
      if (upTo !== undefined) echo(upTo);
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
    if (message.attrs["type"] === "error") {
      const bounce = readBounce(message);
      if (bounce !== undefined) events.bounced(bounce);
      return;
    }
    const receipt = readReceipt(message);
    if (receipt !== undefined) events.received(receipt);
  }

  function lost(reason: Failure): void {
    over = true;
    clearTimeout(askAgain);
    keepalive.stop();
    socket?.off("drain", drained);
    if (session !== undefined) {
      session.unechoed = acknowledged - echoed;
      session.finished = lastCount && stream.endedByServer;
      session.refusesFirst = refusesFirst;
    }
    onEnded?.();
    events.lost(reason);
  }

  async function close(): Promise<void> {
    if (closing || over) return;
    closing = true;
    const ended = new Promise<void>((resolve) => {
      onEnded = resolve;
    });
    stream.push(`${session === undefined ? "" : acknowledgement(session)}${stream.footer()}`);
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

/** Of two counts modulo 2^32 that lie near each other. */
function covers(handled: number, asked: number): boolean {
  return (handled - asked) >>> 0 < 0x8000_0000;
}

function unanswering({ domain }: Jid): Failure {
  return new Failure("stream_closed", `The XMPP server of "${domain}" does not answer any more.`);
}
