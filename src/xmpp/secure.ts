/** From a host to an encrypted stream on which a login can begin: address, TCP, TLS, stream header. */

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import type { Finding, Watch } from "../findings.ts";
import { certificateOf } from "./certificate.ts";
import { step } from "./deadline.ts";
import { type Dialled, dial } from "./dial.ts";
import { namespaces } from "./namespaces.ts";
import { type Endpoint, type Lookup, resolveEndpoints } from "./resolve.ts";
import { XmppStream } from "./stream.ts";
import { encrypt, injected } from "./tls.ts";

/** What has to be known of a domain before connecting to its server. */
export interface XmppHost {
  readonly domain: string;
  /** Where to connect in place of what DNS says. */
  readonly connect: Endpoint | undefined;
  /** PEM; trusted for this domain beside the system's. */
  readonly caCertificates: readonly string[];
  /** No TLS: for a loopback `connect` only. */
  readonly insecurePlaintext: boolean;
  /** Milliseconds for which a refusal may follow an acknowledgement; "auto": by what the server says it is. */
  readonly grace: number | "auto";
}

export interface SecuredStream {
  readonly stream: XmppStream;
  /** What the server offers before the login. */
  readonly features: Element;
  readonly encrypted: boolean;
  readonly tlsExporter: Uint8Array | undefined;
  /** Address and port of the XMPP server. */
  readonly server: string;
}

/** How long one step may take; the whole login has a limit of its own. */
export const stepTimeoutMs = 10_000;

/** `watch` is told of every step, where somebody wants to see them. */
export async function openSecured(
  host: XmppHost,
  lookup: Lookup,
  signal: AbortSignal,
  watch?: Watch,
): Promise<SecuredStream> {
  const { socket, endpoint, address } = await reach(host, lookup, signal, watch);
  const secured = await secure(socket, endpoint, host, signal, watch);
  return { ...secured, server: `${address} ${endpoint.port}` };
}

/** Ends the stream of a login that failed, and says why it did. */
export function abandon(stream: XmppStream, error: unknown): Failure {
  const failure = asLoginFailure(error);
  stream.end(failure);
  return failure;
}

async function reach(host: XmppHost, lookup: Lookup, signal: AbortSignal, watch: Watch | undefined): Promise<Dialled> {
  watch?.begin("name");
  const endpoints = host.connect
    ? [host.connect]
    : await step("the search for its address", host.domain, stepTimeoutMs, signal, (limit) =>
        resolveEndpoints(host.domain, lookup, limit),
      );
  watch?.found({ step: "name", endpoints });
  watch?.begin("connection");
  const configured = host.connect !== undefined;
  const dialled = await dial(endpoints, { lookup, signal, domain: host.domain, configured });
  const { socket, endpoint, address } = dialled;
  const missed = endpoints.slice(0, endpoints.indexOf(endpoint));
  watch?.found({ step: "connection", endpoint, address, localAddress: socket.localAddress, missed });
  return dialled;
}

async function secure(
  socket: Socket,
  endpoint: Endpoint,
  host: XmppHost,
  signal: AbortSignal,
  watch: Watch | undefined,
): Promise<Omit<SecuredStream, "server">> {
  const { domain } = host;
  const handshake = async () => {
    const encrypted = await step("the TLS handshake", domain, stepTimeoutMs, signal, (limit) =>
      encrypt(socket, host, endpoint.tls, limit),
    );
    if (watch !== undefined) tellOfTls(encrypted, watch);
    return encrypted;
  };
  const negotiate = (stream: XmppStream) =>
    step("opening the stream", domain, stepTimeoutMs, signal, (limit) => stream.negotiate(limit));

  let stream: XmppStream | undefined;
  try {
    if (endpoint.tls === "direct") {
      watch?.begin("tls");
      const tls = await handshake();
      stream = new XmppStream(domain, tls);
      watch?.begin("stream");
      const features = await negotiate(stream);
      watch?.found(featuresFound(features));
      return { stream, features, encrypted: true, tlsExporter: exporterOf(tls) };
    }
    const opened = new XmppStream(domain, socket);
    stream = opened;
    watch?.begin("stream");
    const features = await negotiate(stream);
    watch?.found(featuresFound(features));
    if (host.insecurePlaintext) return { stream, features, encrypted: false, tlsExporter: undefined };
    watch?.begin("tls");
    await step("STARTTLS", domain, stepTimeoutMs, signal, (limit) => startTls(opened, features, domain, limit));
    stream._detachSocket();
    const tls = await handshake();
    stream.attach(tls);
    return { stream, features: await negotiate(stream), encrypted: true, tlsExporter: exporterOf(tls) };
  } catch (error) {
    socket.destroy();
    throw stream === undefined ? asLoginFailure(error) : abandon(stream, error);
  }
}

function featuresFound(features: Element): Finding {
  return { step: "stream", features: features.getChildElements().map((feature) => feature.getName()) };
}

/** Two steps at once: without a certificate that fits there is no connection. */
function tellOfTls(encrypted: TLSSocket, watch: Watch): void {
  watch.found({ step: "tls", protocol: encrypted.getProtocol() ?? "", cipher: encrypted.getCipher().name });
  watch.begin("certificate");
  watch.found({ step: "certificate", ...certificateOf(encrypted) });
}

/** RFC 6120 section 5. Returns when the server waits for the TLS handshake and has sent nothing else. */
export async function startTls(
  stream: XmppStream,
  features: Element,
  domain: string,
  signal: AbortSignal,
): Promise<void> {
  if (features.getChild("starttls", namespaces.tls) === undefined) {
    throw new Failure(
      "tls_not_offered",
      `The XMPP server of "${domain}" offers no encryption (STARTTLS), without which no password is sent.`,
    );
  }
  stream.push(`<starttls xmlns="${namespaces.tls}"/>`);
  const reply = await stream.next(signal);
  if (!reply.is("proceed", namespaces.tls)) {
    throw new Failure("tls_failed", `The XMPP server of "${domain}" refused to start TLS.`, {
      cause: new Error(reply.toString().slice(0, 1000)),
    });
  }
  if (!stream.quiet) throw injected(domain);
}

/** RFC 9266 channel binding data; undefined where the runtime cannot give it. */
function exporterOf(socket: TLSSocket): Uint8Array | undefined {
  if (socket.getProtocol() !== "TLSv1.3") return undefined;
  try {
    return socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  } catch {
    // Channel binding is then not offered; the certificate check stands without it.
    return undefined;
  }
}

function asLoginFailure(error: unknown): Failure {
  if (error instanceof Failure) return error.code === "stanza_complaint" ? asProtocolError(error) : error;
  return new Failure("protocol_error", "The login at the XMPP server failed.", { cause: error });
}

/** Before a message was sent, no message can be what the server complains about. */
function asProtocolError(complaint: Failure): Failure {
  return new Failure("protocol_error", complaint.message, { cause: complaint.cause });
}
