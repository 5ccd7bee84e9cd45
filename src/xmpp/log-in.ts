/** The login on an encrypted stream: SASL, and the stream opened anew behind it. */

import type { Element } from "@xmpp/xml";
import type { Jid } from "../jid.ts";
import type { Admit } from "../link.ts";
import { authenticate } from "./authenticate.ts";
import { step } from "./deadline.ts";
import type { SaslContext } from "./sasl/choose.ts";
import type { Secret } from "./sasl/exchange.ts";
import { abandon, type SecuredStream, stepTimeoutMs, type XmppHost } from "./secure.ts";
import type { XmppStream } from "./stream.ts";

export interface Authenticated {
  readonly stream: XmppStream;
  /** What the server offers after the login. */
  readonly features: Element;
  /** What a later login can be made with: SCRAM's keys, or the password where the server takes nothing else. */
  readonly secret: Secret;
  readonly mechanism: string;
}

export interface Identity {
  readonly account: Jid;
  readonly host: XmppHost;
  readonly secret: Secret;
  /** Default: at once. */
  readonly admit?: Admit;
  /** Called with the SASL mechanism before anything of it is sent. */
  onMechanism?(mechanism: string): void;
}

export const atOnce: Admit = (_, authenticate) => authenticate();

/** Rejects with a Failure, and has ended the stream then. */
export async function logIn(secured: SecuredStream, identity: Identity, signal: AbortSignal): Promise<Authenticated> {
  const { stream, features, encrypted, server } = secured;
  const { account, host, secret, admit = atOnce, onMechanism } = identity;
  const { domain } = host;
  try {
    const prove = () =>
      step("the login", domain, stepTimeoutMs, signal, (limit) => {
        const context = saslContext(secured, host, account.local ?? "", secret);
        return authenticate(stream, features, context, domain, onMechanism, limit);
      });
    const exchange = await admit(server, prove, stream.over);
    if (encrypted) stream.identify(account.bare);
    const after = await step("opening the stream after the login", domain, stepTimeoutMs, signal, (limit) =>
      stream.negotiate(limit),
    );
    const { keys, mechanism } = exchange;
    return { stream, features: after, secret: keys === undefined ? secret : { keys }, mechanism };
  } catch (error) {
    throw abandon(stream, error);
  }
}

/** What the choice of a mechanism depends on, beside the server's offer. */
export function saslContext(secured: SecuredStream, host: XmppHost, username: string, secret: Secret): SaslContext {
  const { encrypted, tlsExporter } = secured;
  return { host: host.domain, username, secret, encrypted, allowPlaintext: host.insecurePlaintext, tlsExporter };
}
