/**
 * An XMPP client that has nothing in common with the program under test: "bob's client", to see what arrives. Bare
 * sockets, SASL PLAIN, the test's own stream reader.
 */

import { connectReceiver, type ReceiverOptions } from "./receiver-login.ts";
import { makeBell } from "./wait.ts";
import { childOf, textOf, type XmlElement } from "./xml-element.ts";

export type { ReceiverOptions } from "./receiver-login.ts";

const closeDeadlineMs = 2000;

export interface ReceivedMessage {
  /** The stanza as it came. */
  readonly raw: string;
  readonly from: string;
  readonly to: string;
  /** "normal" where the stanza says nothing. */
  readonly type: string;
  readonly id: string | undefined;
  readonly body: string | undefined;
  /** The raw `<html/>` of XEP-0071. */
  readonly html: string | undefined;
  readonly element: XmlElement;
}

export interface Receiver {
  /** The full JID that the server bound. */
  readonly jid: string;
  /** Messages that nobody has taken with `nextMessage` yet. */
  readonly waiting: readonly ReceivedMessage[];
  /** The next message, of whatever type, in the order of arrival; rejects after `timeoutMs` (default 5000). */
  nextMessage(timeoutMs?: number): Promise<ReceivedMessage>;
  /** The first stanza that fits among all that have come since the login, as soon as it is there. */
  received(fits: (stanza: XmlElement) => boolean, timeoutMs?: number): Promise<XmlElement>;
  /** XML, as it is. */
  send(xml: string): void;
  /** Sends an IQ with an id of its own and resolves with the result or the error. `payload` is XML. */
  request(type: "get" | "set", payload: string, to?: string): Promise<XmlElement>;
  /** Whether the stream is still up. */
  readonly open: boolean;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /** Ends the stream properly, so that the server keeps no session; never rejects. */
  close(): Promise<void>;
  /** Drops the connection without a word; a server with XEP-0198 would keep the session, but we never enable it. */
  drop(): void;
}

/** Resolves when the client is logged in and, unless `presence` is false, the server has taken its presence. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const bell = makeBell();
  const stanzas: XmlElement[] = [];
  const waiting: ReceivedMessage[] = [];
  let nextId = 1;
  let open = true;
  const { jid, send, end, drop, closed } = await connectReceiver(options, (stanza) => {
    stanzas.push(stanza);
    if (stanza.name === "message") waiting.push(describe(stanza));
    bell.ring();
  });
  const gone = closed.then(() => {
    open = false;
    bell.ring();
  });

  const received: Receiver["received"] = (fits, timeoutMs = 5000) =>
    bell.until(() => stanzas.find(fits), timeoutMs, `a stanza for ${jid}`);
  if (options.presence !== false) {
    send("<presence/>");
    // A server reflects an available presence to the client itself (RFC 6121 section 4.2.2).
    await received((stanza) => stanza.name === "presence" && stanza.attributes["from"] === jid);
  }

  return {
    jid,
    waiting,
    get open() {
      return open;
    },
    closed: gone,
    nextMessage: (timeoutMs = 5000) => bell.until(() => waiting.shift(), timeoutMs, `a message for ${jid}`),
    received,
    send,
    request: (type, payload, to) => {
      const id = `receiver-${nextId++}`;
      const address = to === undefined ? "" : ` to='${to}'`;
      send(`<iq type='${type}' id='${id}'${address}>${payload}</iq>`);
      return received((stanza) => stanza.name === "iq" && stanza.attributes["id"] === id);
    },
    close: async () => {
      end();
      const timer = setTimeout(drop, closeDeadlineMs);
      await gone;
      clearTimeout(timer);
    },
    drop,
  };
}

function describe(element: XmlElement): ReceivedMessage {
  const { from = "", to = "", type = "normal", id } = element.attributes;
  const body = childOf(element, "body", "jabber:client");
  return {
    raw: element.raw,
    from,
    to,
    type,
    id,
    body: body === undefined ? undefined : textOf(body),
    html: childOf(element, "html", "http://jabber.org/protocol/xhtml-im")?.raw,
    element,
  };
}
