/**
 * A bound stream as a Link: it writes what the session hands over, asks for acknowledgements behind it, and tells the
 * session what the server says. Nothing here waits for anything.
 *
 * Where the server has XEP-0198, `<r/>` asks and `h` answers. Where it has not, a ping (XEP-0199) behind the stanzas asks,
 * and its reply covers what was written before it, because a server handles one client's stanzas in order (RFC 6120
 * section 10.1); the link then counts for itself and speaks to the session in the same terms.
 */

import { type Element, escapeXML } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import type { Bounce, Link, LinkEvents } from "../link.ts";
import { stanzaFailure } from "./conditions.ts";
import { namespaces } from "./namespaces.ts";
import { OutboundCount } from "./outbound.ts";
import type { XmppStream } from "./stream.ts";

/** How long the other side may take to close its side of the stream. */
const closeTimeoutMs = 2_000;

export interface LiveOptions {
  readonly stream: XmppStream;
  readonly jid: Jid;
  /** True: XEP-0198 is on. */
  readonly streamManagement: boolean;
  readonly events: LinkEvents;
}

export function openLink({ stream, jid, streamManagement, events }: LiveOptions): Link {
  const outbound = new OutboundCount();
  /** Stanzas received, modulo 2^32. */
  let received = 0;
  /** What was sent when the outstanding request for an acknowledgement left; undefined when none is outstanding. */
  let requestedAt: number | undefined;
  let pingId = "";
  let onEnded: (() => void) | undefined;
  let closing = false;

  const drained = () => events.drained();
  const socket = stream.socket;
  socket?.on("drain", drained);
  stream.consume(handle, (reason) => {
    socket?.off("drain", drained);
    onEnded?.();
    events.lost(reason);
  });

  return { jid, send, close, abort: (reason) => stream.end(reason) };

  function send(stanzas: readonly string[]): boolean {
    outbound.sent("message", stanzas.length);
    let text = stanzas.join("");
    if (requestedAt === undefined) text += request();
    return stream.push(text);
  }

  function request(): string {
    requestedAt = outbound.total;
    if (streamManagement) return `<r xmlns="${namespaces.streamManagement}"/>`;
    pingId = `ack-${requestedAt}`;
    // A stanza too, but nobody counts here but us: without XEP-0198 `total` is the number of messages.
    return `<iq type="get" id="${pingId}" to="${escapeXML(jid.domain)}"><ping xmlns="${namespaces.ping}"/></iq>`;
  }

  function handle(element: Element): void {
    const name = element.getName();
    if (name === "a" && element.getNS() === namespaces.streamManagement) return acknowledge(readCount(element));
    if (name === "r" && element.getNS() === namespaces.streamManagement) {
      stream.push(`<a xmlns="${namespaces.streamManagement}" h="${received}"/>`);
      return;
    }
    if (name !== "message" && name !== "iq" && name !== "presence") return;
    received = (received + 1) >>> 0;
    if (name === "message" && element.attrs["type"] === "error") return bounce(element);
    if (name === "iq") return answer(element);
  }

  function acknowledge(handled: number): void {
    const asked = requestedAt;
    requestedAt = undefined;
    const messages = outbound.acknowledge(handled);
    if (messages > 0) events.acknowledged(messages);
    // Stanzas that left behind the request are still without one. An answer below what was asked for is not asked
    // again at once: that would be a loop at the speed of the line.
    if (asked !== undefined && asked !== outbound.total && !closing) stream.push(request());
  }

  function answer(iq: Element): void {
    const { type, id, from } = iq.attrs;
    if (type === "result" || type === "error") {
      if (!streamManagement && id === pingId && requestedAt !== undefined && isOurServer(from)) {
        acknowledge(requestedAt);
      }
      return;
    }
    if (streamManagement) outbound.sent("other");
    // RFC 6120 section 8.2.3: a request gets a reply, whoever asks.
    const to = from === undefined ? "" : ` to="${escapeXML(from)}"`;
    const head = `<iq id="${escapeXML(id ?? "")}"${to}`;
    const reply =
      type === "get" && iq.getChild("ping", namespaces.ping) !== undefined
        ? `${head} type="result"/>`
        : `${head} type="error"><error type="cancel"><service-unavailable xmlns="${namespaces.stanzaErrors}"/></error></iq>`;
    stream.push(reply);
  }

  function isOurServer(from: string | undefined): boolean {
    return from === undefined || from === jid.domain || from === jid.bare || from === jid.full;
  }

  function bounce(message: Element): void {
    const bounced = readBounce(message);
    if (bounced !== undefined) events.bounced(bounced);
  }

  async function close(): Promise<void> {
    if (closing) return;
    closing = true;
    const acknowledgement = streamManagement ? `<a xmlns="${namespaces.streamManagement}" h="${received}"/>` : "";
    const ended = new Promise<void>((resolve) => {
      onEnded = resolve;
    });
    stream.push(`${acknowledgement}${stream.footer()}`);
    const timer = setTimeout(
      () => stream.end(new Failure("stream_closed", `The stream of "${jid.bare}" was closed by post-msg.`)),
      closeTimeoutMs,
    );
    await ended;
    clearTimeout(timer);
  }
}

/** RFC 6120 section 8.3. A bounce without an id answers nothing that we know. */
function readBounce(message: Element): Bounce | undefined {
  const { id, from } = message.attrs;
  if (id === undefined) return undefined;
  const sender = from === undefined ? undefined : parseJid(from);
  if (sender !== undefined && "problem" in sender) return undefined;
  const error = message.getChild("error");
  const condition = error
    ?.getChildElements()
    .find((child) => child.getNS() === namespaces.stanzaErrors)
    ?.getName();
  // The error alone: a bounce may carry the message's text back, which is not for the log.
  const cause = new Error(`Bounced: ${error?.toString().slice(0, 1000) ?? "without a reason"}`);
  return {
    id,
    from: sender?.jid,
    failure: stanzaFailure(condition ?? "undefined-condition", error?.attrs["type"], from ?? "", cause),
  };
}

function readCount(element: Element): number {
  const text = element.attrs["h"] ?? "";
  const count = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (count <= 0xffff_ffff) return count;
  throw new Failure("protocol_error", "The XMPP server acknowledged with something that is not a count of stanzas.");
}
