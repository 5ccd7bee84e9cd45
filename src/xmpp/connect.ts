/** From credentials to a link: where to connect, TLS, SASL, a resource, stream management; each step under its own limit. */

import type { Socket } from "node:net";
import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import type { Login, Verify } from "../link.ts";
import type { Credentials } from "../message.ts";
import { authenticate } from "./authenticate.ts";
import { bindResource, enableStreamManagement } from "./bind.ts";
import { step } from "./deadline.ts";
import { type Dialled, dial } from "./dial.ts";
import { openLink } from "./live.ts";
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
}

export interface ConnectOptions {
  readonly lookup: Lookup;
  /** Undefined for a domain that is not allowed: nothing is resolved or connected for it. */
  findHost(domain: string): XmppHost | undefined;
}

/** How long one step may take; the whole login has a limit of its own. */
const stepTimeoutMs = 10_000;

/** Both connect afresh every time and leave nothing open when they fail. */
export function createConnect(options: ConnectOptions): { readonly login: Login; readonly verify: Verify } {
  return { login, verify };

  async function login(...[credentials, events, signal]: Parameters<Login>): ReturnType<Login> {
    const { account } = credentials;
    const { stream, features } = await openAuthenticated(credentials, options, signal);
    try {
      const jid = await step("binding a resource", account.domain, stepTimeoutMs, signal, (limit) =>
        bindResource(stream, account, limit),
      );
      const streamManagement = await step(
        "enabling stream management",
        account.domain,
        stepTimeoutMs,
        signal,
        (limit) => enableStreamManagement(stream, features, limit),
      );
      return openLink({ stream, jid, streamManagement, events });
    } catch (error) {
      throw abandon(stream, error);
    }
  }

  async function verify(credentials: Credentials, signal: AbortSignal): Promise<void> {
    const { stream } = await openAuthenticated(credentials, options, signal);
    stream.push(stream.footer());
    stream.end(new Failure("stream_closed", "The password has been verified."));
  }
}

interface Authenticated {
  readonly stream: XmppStream;
  /** What the server offers after the login. */
  readonly features: Element;
}

async function openAuthenticated(
  { account, password }: Credentials,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Authenticated> {
  const { domain } = account;
  const host = options.findHost(domain);
  if (host === undefined) {
    throw new Failure("host_not_allowed", `"${domain}" is not one of the hosts that this gateway connects to.`);
  }
  const { socket, endpoint } = await reach(host, options.lookup, signal);
  const { stream, features, encrypted, tlsExporter } = await secure(socket, endpoint, host, signal);
  try {
    await step("the login", domain, stepTimeoutMs, signal, (limit) =>
      authenticate(
        stream,
        features,
        {
          host: domain,
          username: account.local ?? "",
          secret: { password },
          encrypted,
          allowPlaintext: host.insecurePlaintext,
          tlsExporter,
        },
        domain,
        limit,
      ),
    );
    if (encrypted) stream.identify(account.bare);
    const after = await step("opening the stream after the login", domain, stepTimeoutMs, signal, (limit) =>
      stream.negotiate(limit),
    );
    return { stream, features: after };
  } catch (error) {
    throw abandon(stream, error);
  }
}

async function reach(host: XmppHost, lookup: Lookup, signal: AbortSignal): Promise<Dialled> {
  const endpoints = host.connect
    ? [host.connect]
    : await step("the search for its address", host.domain, stepTimeoutMs, signal, (limit) =>
        resolveEndpoints(host.domain, lookup, limit),
      );
  return dial(endpoints, { lookup, signal, domain: host.domain });
}

interface Secured extends Authenticated {
  readonly encrypted: boolean;
  readonly tlsExporter: Uint8Array | undefined;
}

async function secure(socket: Socket, endpoint: Endpoint, host: XmppHost, signal: AbortSignal): Promise<Secured> {
  const { domain } = host;
  const handshake = () =>
    step("the TLS handshake", domain, stepTimeoutMs, signal, (limit) => encrypt(socket, host, endpoint.tls, limit));
  const negotiate = (stream: XmppStream) =>
    step("opening the stream", domain, stepTimeoutMs, signal, (limit) => stream.negotiate(limit));

  let stream: XmppStream | undefined;
  try {
    if (endpoint.tls === "direct") {
      const tls = await handshake();
      stream = new XmppStream(domain, tls);
      return { stream, features: await negotiate(stream), encrypted: true, tlsExporter: exporterOf(tls) };
    }
    const opened = new XmppStream(domain, socket);
    stream = opened;
    const features = await negotiate(stream);
    if (host.insecurePlaintext) return { stream, features, encrypted: false, tlsExporter: undefined };
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

/** RFC 6120 section 5. Returns when the server waits for the TLS handshake and has sent nothing else. */
async function startTls(stream: XmppStream, features: Element, domain: string, signal: AbortSignal): Promise<void> {
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
function exporterOf(socket: import("node:tls").TLSSocket): Uint8Array | undefined {
  if (socket.getProtocol() !== "TLSv1.3") return undefined;
  try {
    return socket.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0));
  } catch {
    // Channel binding is then not offered; the certificate check stands without it.
    return undefined;
  }
}

function abandon(stream: XmppStream, error: unknown): Failure {
  const failure = asLoginFailure(error);
  stream.end(failure);
  return failure;
}

function asLoginFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure("protocol_error", "The login at the XMPP server failed.", { cause: error });
}
