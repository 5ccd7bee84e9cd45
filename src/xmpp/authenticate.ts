/** SASL over an XML stream (RFC 6120 section 6). */

import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import { saslFailure } from "./conditions.ts";
import { namespaces } from "./namespaces.ts";
import { chooseExchange, type SaslContext, type SaslOffer } from "./sasl/choose.ts";
import type { SaslExchange, Secret } from "./sasl/exchange.ts";
import type { XmppStream } from "./stream.ts";

/**
 * Returns the exchange that succeeded. The stream has to be negotiated anew behind it. `onMechanism` is called with the
 * mechanism before anything is sent.
 */
export async function authenticate(
  stream: XmppStream,
  features: Element,
  context: SaslContext,
  domain: string,
  onMechanism: ((mechanism: string) => void) | undefined,
  signal: AbortSignal,
): Promise<SaslExchange> {
  const exchange = chooseExchange(readOffer(features), context);
  onMechanism?.(exchange.mechanism);
  stream.push(
    `<auth xmlns="${namespaces.sasl}" mechanism="${exchange.mechanism}">${encode(exchange.initialResponse)}</auth>`,
  );
  for (;;) {
    const element = await stream.next(signal);
    if (element.is("challenge", namespaces.sasl)) {
      const response = await exchange.respond(decode(element, domain), signal);
      stream.push(`<response xmlns="${namespaces.sasl}">${Buffer.from(response).toString("base64")}</response>`);
    } else if (element.is("success", namespaces.sasl)) {
      exchange.finish(element.getText() === "" ? undefined : decode(element, domain));
      return exchange;
    } else if (element.is("failure", namespaces.sasl)) {
      const condition = element.getChildElements().find((child) => child.getName() !== "text");
      const cause = new Error(`SASL failure: ${describeFailure(element, context.secret)}`);
      throw saslFailure(condition?.getName() ?? "not-authorized", domain, cause);
    } else {
      throw stream.unexpected(element, "the answer to a SASL step");
    }
  }
}

/** What the server says goes to the log; a server that has the password could say that too. */
function describeFailure(failure: Element, secret: Secret): string {
  const xml = failure.toString();
  const said = `${xml} ${failure.getChildText("text") ?? ""}`.toLowerCase();
  return spellings(secret).some((each) => said.includes(each.toLowerCase()))
    ? "(left out, since it repeats the password)"
    : xml.slice(0, 1000);
}

function spellings(secret: Secret): readonly string[] {
  if (!("password" in secret)) return [];
  const { password } = secret;
  const bytes = Buffer.from(password);
  return [
    password,
    encodeURIComponent(password),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
}

/** What the server's stream features say about the login. */
export function readOffer(features: Element): SaslOffer {
  const mechanisms = features.getChild("mechanisms", namespaces.sasl)?.getChildren("mechanism") ?? [];
  const bindings = features.getChild("sasl-channel-binding", namespaces.saslChannelBinding);
  return {
    mechanisms: mechanisms.map((mechanism) => mechanism.getText()),
    channelBindings: bindings?.getChildren("channel-binding").map((binding) => binding.attrs["type"] ?? "") ?? [],
  };
}

/** An empty initial response is "=" (RFC 6120 section 6.4.2). */
function encode(initialResponse: Uint8Array): string {
  return initialResponse.length === 0 ? "=" : Buffer.from(initialResponse).toString("base64");
}

function decode(element: Element, domain: string): Uint8Array {
  const text = element.getText().trim();
  if (text === "=") return new Uint8Array();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    throw new Failure("protocol_error", `The XMPP server of "${domain}" sent a SASL message that is not base64.`);
  }
  return Buffer.from(text, "base64");
}
