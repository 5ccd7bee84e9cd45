/**
 * A second connection, by which a certificate that was refused can be shown to the person who has to mend it. Nothing is
 * sent on it beyond the TLS handshake, and nothing of it is kept but what the certificate says.
 */

import { isIP, type Socket } from "node:net";
import tls from "node:tls";
import { asciiDomain } from "../domain.ts";
import { Failure } from "../errors.ts";
import type { Certificate, EndpointFound } from "../findings.ts";
import { certificateOf } from "./certificate.ts";
import { step, withAbort } from "./deadline.ts";
import { dial } from "./dial.ts";
import type { Lookup } from "./resolve.ts";
import { startTls, stepTimeoutMs } from "./secure.ts";
import { XmppStream } from "./stream.ts";

export interface Place {
  readonly endpoint: EndpointFound;
  readonly address: string;
}

/** Undefined when it cannot be had a second time. */
export async function lookAtCertificate(
  domain: string,
  { endpoint, address }: Place,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<Certificate | undefined> {
  try {
    const { socket } = await dial([{ ...endpoint, hostname: address }], { domain, lookup, signal });
    try {
      return await step("the look at its certificate", domain, stepTimeoutMs, signal, (limit) =>
        look(domain, socket, endpoint, limit),
      );
    } finally {
      socket.destroy();
    }
  } catch {
    // What is wrong with the certificate is known without it.
    return undefined;
  }
}

async function look(
  domain: string,
  socket: Socket,
  endpoint: EndpointFound,
  signal: AbortSignal,
): Promise<Certificate> {
  if (endpoint.tls === "starttls") {
    const stream = new XmppStream(domain, socket);
    await startTls(stream, await stream.negotiate(signal), domain, signal);
    stream._detachSocket();
  }
  const name = asciiDomain(domain).replace(/^\[(.*)\]$/, "$1");
  const encrypted = tls.connect({
    socket,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ALPNProtocols: ["xmpp-client"],
    // It was refused a moment ago; here it is only read.
    rejectUnauthorized: false,
  });
  try {
    await withAbort(signal, (resolve, reject) => {
      encrypted.once("secureConnect", resolve);
      encrypted.on("error", reject);
      encrypted.once("close", () => reject(new Failure("stream_closed", "The connection ended during the look.")));
    });
    return certificateOf(encrypted);
  } finally {
    encrypted.destroy();
  }
}
