/**
 * One client at the scripted peer: what it said, how far it has come, and the two verbs by which the peer's side of the
 * dance is told: `say` (which a fault or a test's own answer can replace) and `next`.
 */

import type { Socket } from "node:net";
import type { Bell } from "../wait.ts";
import type { XmlElement } from "../xml-element.ts";
import { makeXmlStream, type XmlStreamEvent } from "../xml-stream.ts";
import { applyFault, Silence } from "./apply-fault.ts";
import { findFault, type Step } from "./fault.ts";
import type { ManagedSession } from "./managed-session.ts";
import type { PeerBehaviour } from "./options.ts";
import { streamError, streamHeader } from "./replies.ts";
import { makeWire, type Wire } from "./wire.ts";

const saslSign = /urn:ietf:params:xml:ns:xmpp-sasl|urn:xmpp:sasl:|<(auth|authenticate|response)\b/;
const longestSign = 64;

export class PeerConnection {
  /** Counted from 1. */
  readonly number: number;
  readonly wire: Wire;
  /** The stream's `to`, once a header has come. */
  domain: string;
  /** The full JID, once bound. */
  jid: string | undefined;
  /** Once a resource was bound or an old session was taken up. */
  session: ManagedSession | undefined;
  /** What the client said, in the pieces in which it came; the TLS handshake counts as said in the clear. */
  readonly received: { readonly bytes: Uint8Array; readonly encrypted: boolean }[] = [];
  /** All stanzas, with what precedes the binding of a resource. */
  readonly stanzas: XmlElement[] = [];
  /** The opening tags of the client's streams. */
  readonly headers: XmlElement[] = [];
  /** The client has sent something of SASL, encrypted or not. */
  sawSasl = false;
  /** The client has closed its stream with `</stream:stream>`. */
  streamEnded = false;
  /** Why the TLS handshake failed on this side, e.g. because the client refused the certificate. */
  tlsError: unknown;

  readonly #getBehaviour: () => PeerBehaviour;
  readonly #bell: Bell;
  readonly #record: boolean;
  readonly #events: XmlStreamEvent[] = [];
  #eventCame = Promise.withResolvers<void>();
  readonly #reached = new Map<Step, number>();
  readonly #stream = makeXmlStream((event) => {
    if (event.kind === "end") this.streamEnded = true;
    this.#take(event);
  });
  #headerSent = false;
  #expectsTls = false;
  #tail = "";

  constructor(
    socket: Socket,
    number: number,
    domain: string,
    getBehaviour: () => PeerBehaviour,
    record: boolean,
    bell: Bell,
  ) {
    this.number = number;
    this.domain = domain;
    this.#getBehaviour = getBehaviour;
    this.#record = record;
    this.#bell = bell;
    this.wire = makeWire(socket, (bytes, encrypted) => this.#hear(bytes, encrypted));
    this.wire.closed.then(() => {
      this.#take({ kind: "end" });
      bell.ring();
    });
  }

  get behaviour(): PeerBehaviour {
    return this.#getBehaviour();
  }

  /** All that the client said, as one text. */
  get text(): string {
    return Buffer.concat(this.received.map(({ bytes }) => bytes)).toString("utf8");
  }

  /** Resolves when the step was reached for the nth time. */
  async reached(step: Step, nth = 1, deadlineMs = 5000): Promise<void> {
    await this.#bell.until(() => (this.#reached.get(step) ?? 0) >= nth, deadlineMs, `step ${step}, ${nth} times`);
  }

  /** Marks a step at which the peer says nothing by itself. */
  reach(step: Step): Promise<void> {
    return this.say(step, "");
  }

  /** Sends the right answer of a step, unless the test wants another one or a fault. Throws `Silence` when it is over. */
  async say(step: Step, proper: string): Promise<void> {
    const nth = (this.#reached.get(step) ?? 0) + 1;
    this.#reached.set(step, nth);
    this.#bell.ring();
    const text = (await this.behaviour.answers[step]?.(proper, this)) ?? proper;
    const fault = findFault(this.behaviour.fault, this.number, step, nth);
    if (fault === undefined) this.send(text);
    else await applyFault(fault, text, this);
    if (step.endsWith("header")) this.#headerSent = true;
  }

  /** XML, or anything else, as it is. */
  send(data: string | Uint8Array): void {
    if (data.length > 0) this.wire.send(data);
  }

  /** Sends a stanza to the bound client, and again after a resumption that did not cover it. */
  deliver(stanza: string): void {
    this.session?.keep(stanza);
    this.send(stanza);
  }

  /** The client's next stanza. Throws `Silence` when its stream is over. */
  async next(): Promise<XmlElement> {
    const event = await this.#nextEvent();
    if (event.kind === "stanza") return event.element;
    return event.kind === "end" ? this.finish() : this.fail("not-well-formed");
  }

  /** The client's opening tag. */
  async nextHeader(): Promise<XmlElement> {
    const event = await this.#nextEvent();
    this.#headerSent = false;
    if (event.kind === "header") return event.element;
    return event.kind === "end" ? this.finish() : this.fail("not-well-formed");
  }

  /** The client will begin a new stream; what it has sent of the old one is dropped. */
  expectRestart(): void {
    this.#events.length = 0;
    this.#stream.restart();
  }

  /** The client's next bytes are a TLS handshake, even if they come before the peer is ready for it. */
  expectTls(): void {
    this.#expectsTls = true;
    this.wire.holdForTls();
  }

  /** Ends the stream with an error (RFC 6120 section 4.9.3). */
  fail(condition: string, text?: string, extra?: string): never {
    if (!this.#headerSent) this.send(streamHeader(this.domain, "error"));
    this.send(`${streamError(condition, text, extra)}</stream:stream>`);
    this.wire.end();
    throw new Silence();
  }

  /** Answers the client's `</stream:stream>`. */
  async finish(): Promise<never> {
    if (this.streamEnded) await this.say("end", "</stream:stream>");
    this.wire.end();
    throw new Silence();
  }

  /** RFC 9266: what both ends of this TLS connection know and nobody else. */
  exportKeyingMaterial(): Uint8Array | undefined {
    return this.wire.tls?.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  }

  #hear(bytes: Uint8Array, encrypted: boolean): void {
    if (this.#record) this.received.push({ bytes, encrypted });
    const text = this.#tail + Buffer.from(bytes).toString("latin1");
    this.sawSasl ||= saslSign.test(text);
    this.#tail = text.slice(-longestSign);
    if (encrypted) this.#expectsTls = false;
    if (!this.#expectsTls) this.#stream.push(bytes);
    this.#bell.ring();
  }

  #take(event: XmlStreamEvent): void {
    if (event.kind === "stanza" && this.#record) this.stanzas.push(event.element);
    if (event.kind === "header") this.headers.push(event.element);
    this.#events.push(event);
    this.#eventCame.resolve();
  }

  async #nextEvent(): Promise<XmlStreamEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      this.#eventCame = Promise.withResolvers();
      await this.#eventCame.promise;
    }
  }
}
