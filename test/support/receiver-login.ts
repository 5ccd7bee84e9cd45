/** How the receiver gets onto its stream: TCP, TLS, SASL PLAIN, a resource. */

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { bindNamespace, clientNamespace, saslNamespace, streamNamespace, tlsNamespace } from "./peer/namespaces.ts";
import { splitBareJid } from "./real-server.ts";
import { within } from "./wait.ts";
import { childOf, escapeXml, textOf, type XmlElement } from "./xml-element.ts";
import { makeXmlStream, type XmlStreamEvent } from "./xml-stream.ts";

export interface ReceiverOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Bare. */
  readonly jid: string;
  readonly password: string;
  /** Default: "starttls". */
  readonly security?: "starttls" | "direct" | "plain";
  /** The authority's certificate (PEM); needed unless `security` is "plain". */
  readonly ca?: string;
  /** Default: the server chooses. */
  readonly resource?: string;
  /** False: no presence is sent, so that nothing for the bare JID arrives. Default: true. */
  readonly presence?: boolean;
  /** For the whole login. Default: 5000. */
  readonly timeoutMs?: number;
}

export interface ReceiverLink {
  readonly jid: string;
  readonly closed: Promise<void>;
  send(xml: string): void;
  /** `</stream:stream>`; the server's own closes the connection. */
  end(): void;
  drop(): void;
}

/** `onStanza` gets what comes after the login. */
export async function connectReceiver(
  options: ReceiverOptions,
  onStanza: (stanza: XmlElement) => void,
): Promise<ReceiverLink> {
  const [username, domain] = splitBareJid(options.jid);
  const tcp = connectTcp(options.port, options.host ?? "127.0.0.1");
  let socket: Socket = tcp;
  const closed = new Promise<void>((resolve) => tcp.once("close", () => resolve()));
  // An error is always followed by "close".
  tcp.on("error", () => {});

  const login = async (): Promise<string> => {
    const security = options.security ?? "starttls";
    const encrypt = async (): Promise<void> => {
      tcp.removeAllListeners("data");
      socket = await startTls(tcp, domain, options.ca ?? "");
      attach(socket);
    };
    if (security === "direct") await encrypt();
    else attach(tcp);
    await openStream("features");
    if (security === "starttls") {
      await ask(`<starttls xmlns='${tlsNamespace}'/>`, "proceed");
      stream.restart();
      await encrypt();
      await openStream("features");
    }
    const initial = Buffer.from(`\0${username}\0${options.password}`).toString("base64");
    await ask(`<auth xmlns='${saslNamespace}' mechanism='PLAIN'>${initial}</auth>`, "success");
    stream.restart();
    await openStream("features");
    const resource = options.resource === undefined ? "" : `<resource>${escapeXml(options.resource)}</resource>`;
    const request = `<iq type='set' id='bind'><bind xmlns='${bindNamespace}'>${resource}</bind></iq>`;
    const bound = childOf(await ask(request, "iq"), "bind", bindNamespace);
    return textOf(bound && childOf(bound, "jid"));
  };

  // What is expected next, during the login; afterwards every stanza goes to the owner.
  let expected: { readonly name: string; readonly found: PromiseWithResolvers<XmlElement> } | undefined;
  const take = (event: XmlStreamEvent): void => {
    if (event.kind === "malformed") tcp.destroy(new Error(event.problem));
    if (event.kind === "end") socket.end();
    if (event.kind !== "stanza") return;
    if (expected === undefined) return onStanza(event.element);
    if (event.element.name === expected.name) expected.found.resolve(event.element);
    else expected.found.reject(new Error(`Not <${expected.name}/> came but ${event.element.raw}`));
    expected = undefined;
  };
  const stream = makeXmlStream(take);
  const attach = (source: Socket): void => void source.on("data", (bytes: Uint8Array) => stream.push(bytes));
  const ask = (xml: string, name: string): Promise<XmlElement> => {
    const found = Promise.withResolvers<XmlElement>();
    expected = { name, found };
    socket.write(xml);
    closed.then(() => found.reject(new Error(`The connection ended before <${name}/> came.`)));
    return found.promise;
  };
  const openStream = (name: string): Promise<XmlElement> =>
    ask(
      `<?xml version='1.0'?><stream:stream to='${escapeXml(domain)}' version='1.0' xmlns='${clientNamespace}' ` +
        `xmlns:stream='${streamNamespace}'>`,
      name,
    );

  try {
    const jid = await within(options.timeoutMs ?? 5000, `${options.jid} to be logged in`, login());
    return {
      jid,
      closed,
      send: (xml) => void socket.write(xml),
      end: () => void socket.write("</stream:stream>"),
      drop: () => void tcp.destroy(),
    };
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

async function startTls(tcp: Socket, domain: string, ca: string): Promise<TLSSocket> {
  const secured = connectTls({
    socket: tcp,
    servername: domain,
    ca: [ca],
    ALPNProtocols: ["xmpp-client"],
    rejectUnauthorized: true,
  });
  await new Promise<void>((resolve, reject) => {
    secured.once("secureConnect", resolve);
    // Stays for the life of the socket: later errors are followed by "close".
    secured.on("error", reject);
    tcp.once("close", () => reject(new Error("The connection ended during the TLS handshake.")));
  });
  return secured;
}
