/**
 * One XML stream over one socket: @xmpp/connection-tcp for the framing, with a strict parser, a guard around everything
 * that the server sends, and elements that are asked for one after another instead of arriving as events.
 */

import type { Duplex } from "node:stream";
import ConnectionTCP from "@xmpp/connection-tcp";
import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import { streamFailure } from "./conditions.ts";
import { withAbort } from "./deadline.ts";
import { namespaces } from "./namespaces.ts";
import { StreamParser } from "./parser.ts";

/**
 * More than any login needs, with what may stand behind `<resumed/>` in one read; a server that sends on without being
 * asked is cut off.
 */
const maxLoginBytes = 1024 * 1024;

interface Waiter {
  /** Absent while the stream header is awaited: an element then is not the answer. */
  readonly resolve?: (element: Element) => void;
  readonly reject: (reason: Failure) => void;
}

export class XmppStream extends ConnectionTCP {
  override NS: string = namespaces.client;
  override Parser = StreamParser;
  // Deadlines are the caller's, by AbortSignal.
  override timeout = 0;

  readonly #domain: string;
  #account: string | undefined;
  #decoder = makeDecoder();
  #queue: Element[] = [];
  #bytesBeforeConsumer = 0;
  #waiter: Waiter | undefined;
  #consumer: ((element: Element) => void) | undefined;
  #ended: Failure | undefined;
  #over: AbortController | undefined;
  #endedByServer = false;
  #onEnd: ((reason: Failure) => void) | undefined;

  constructor(domain: string, socket: Duplex) {
    super({ domain });
    this.#domain = domain;
    this.on("error", (error) => this.end(this.#brokenOff(error)));
    this.on("close", () => this.end(this.#brokenOff(new Error("The server closed the stream."))));
    this.on("disconnect", () => this.end(this.#brokenOff(new Error("The server closed the connection."))));
    this.attach(socket);
  }

  /** Goes on over `socket`, which is the old one with TLS around it, or the first one. */
  attach(socket: Duplex): void {
    this._detachSocket();
    this.#decoder = makeDecoder();
    // An EPIPE can come after everybody has let go of the socket; without a listener it would end the process.
    socket.on("error", () => {});
    this._attachSocket(socket);
  }

  /** The bare JID to name in stream headers from now on: only on an encrypted stream (RFC 6120 section 4.7.1). */
  identify(account: string): void {
    this.#account = account;
  }

  /** Sends a stream header, waits for the server's and returns the `<features/>` behind it. */
  async negotiate(signal: AbortSignal): Promise<Element> {
    await withAbort<Element>(signal, (resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#waiter = { reject };
      this.restart().then(resolve, reject);
    }).finally(() => {
      this.#waiter = undefined;
    });
    const features = await this.next(signal);
    if (features.is("features", namespaces.stream)) return features;
    throw this.unexpected(features, "<features/>");
  }

  /** The next element of the server. Rejects with a Failure when the stream ends first. */
  next(signal: AbortSignal): Promise<Element> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return withAbort<Element>(signal, (resolve, reject) => {
      this.#waiter = { resolve, reject };
    }).finally(() => {
      this.#waiter = undefined;
    });
  }

  /** It ended with a stream error, and was not merely cut off. */
  get endedByServer(): boolean {
    return this.#endedByServer;
  }

  /** Aborts, with the reason, when the stream ends. */
  get over(): AbortSignal {
    this.#over ??= new AbortController();
    if (this.#ended !== undefined) this.#over.abort(this.#ended);
    return this.#over.signal;
  }

  /** True when the server has sent nothing beyond the element that `next` returned last. */
  get quiet(): boolean {
    return (
      this.#queue.length === 0 && this.parser instanceof StreamParser && this.parser.atRest && this.#wholeCharacters
    );
  }

  /** From now on every element goes to `consumer`, and the end of the stream, once, to `onEnd`. */
  consume(consumer: (element: Element) => void, onEnd: (reason: Failure) => void): void {
    this.#consumer = consumer;
    const endedBefore = this.#ended;
    for (const element of this.#queue.splice(0)) {
      if (this.#ended === endedBefore) this.#guarded(() => consumer(element));
    }
    if (this.#ended !== undefined) onEnd(this.#ended);
    else this.#onEnd = onEnd;
  }

  /** Writes without waiting. False: the socket's buffer is full, `onDrain` follows. */
  push(text: string): boolean {
    return this.socket?.write(text) ?? true;
  }

  /** Ends the stream at once, for `reason`; further calls do nothing. */
  end(reason: Failure): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    const socket = this.socket;
    this._detachSocket();
    socket?.destroy();
    this.#waiter?.reject(reason);
    this.#over?.abort(reason);
    this.#onEnd?.(reason);
  }

  unexpected(element: Element, wanted: string): Failure {
    const cause = new Error(`Received <${element.name}/> in place of ${wanted}.`);
    return new Failure(
      "protocol_error",
      `The XMPP server of "${this.#domain}" answered with something else than ${wanted}.`,
      { cause },
    );
  }

  override headerElement(): Element {
    const header = super.headerElement();
    if (this.#account !== undefined) header.attrs["from"] = this.#account;
    return header;
  }

  override _onData(data: Buffer): void {
    this.#guarded(() => {
      const parser = this.parser;
      // Late bytes of a stream that has ended are nobody's.
      if (!(parser instanceof StreamParser)) return;
      if (this.#consumer === undefined) this.#countUnasked(data.length);
      parser.write(this.#decode(data));
    });
  }

  /** In place of the library's, which follows <see-other-host/> to any host and trips over an empty stream error. */
  override _onElement(element: Element): void {
    if (element.is("error", namespaces.stream)) {
      this.#endedByServer = true;
      const condition = element.getChildElements().find((child) => child.getNS() === namespaces.streamErrors);
      const cause = new Error(`Stream error: ${element.toString().slice(0, 1000)}`);
      return this.end(streamFailure(condition?.getName() ?? "undefined-condition", this.#domain, cause));
    }
    if (this.#consumer !== undefined) return this.#consumer(element);
    if (this.#waiter?.resolve !== undefined && this.#queue.length === 0) {
      const { resolve } = this.#waiter;
      this.#waiter = undefined;
      return resolve(element);
    }
    this.#queue.push(element);
  }

  #countUnasked(bytes: number): void {
    this.#bytesBeforeConsumer += bytes;
    if (this.#bytesBeforeConsumer <= maxLoginBytes) return;
    throw new Failure("protocol_error", `The XMPP server of "${this.#domain}" sends without being asked.`);
  }

  /** No begun character waits for its further bytes. Starts the decoder anew. */
  get #wholeCharacters(): boolean {
    try {
      return this.#decoder.decode() === "";
    } catch {
      // Fatal, at the end of the input, is what an unfinished character is to the decoder.
      return false;
    }
  }

  #decode(data: Buffer): string {
    try {
      return this.#decoder.decode(data, { stream: true });
    } catch (cause) {
      throw new Failure("protocol_error", "The XMPP server sent bytes that are not UTF-8, which ends the stream.", {
        cause,
      });
    }
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.end(
        error instanceof Failure
          ? error
          : new Failure("protocol_error", `The XMPP server of "${this.#domain}" sent what cannot be read.`, {
              cause: error,
            }),
      );
    }
  }

  #brokenOff(cause: unknown): Failure {
    return new Failure("stream_closed", `The connection to the XMPP server of "${this.#domain}" ended.`, { cause });
  }
}

function makeDecoder(): TextDecoder {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
}
