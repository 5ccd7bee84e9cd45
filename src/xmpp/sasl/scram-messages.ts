/** The server's two messages in SCRAM, read strictly, and the name in the client's first (RFC 5802 sections 5 and 7). */

import { isUtf8 } from "node:buffer";

export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** The server's own error name; what it means is in scram-errors.ts. */
export interface ServerError {
  readonly error: string;
}

/** The end of a sentence: "the server … <problem>". */
export interface Problem {
  readonly problem: string;
}

/** Below, the proof could be cracked by who records it (RFC 7677 section 4); above, the server could keep us busy. */
export const iterationLimits = { min: 4_096, max: 1_000_000 } as const;

const maxMessageBytes = 4_096;

export function readServerFirst(message: Uint8Array, clientNonce: string): ServerFirst | ServerError | Problem {
  const attributes = readAttributes(message);
  if ("problem" in attributes) return attributes;
  const error = attributes.values.get("e");
  if (error !== undefined) return { error };
  if (!attributes.order.startsWith("rsi")) {
    return { problem: "sent something other than a nonce, a salt and an iteration count" };
  }
  const nonce = attributes.values.get("r") ?? "";
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length || !/^[\x21-\x7e]+$/.test(nonce)) {
    return { problem: "sent a nonce that does not extend the gateway's" };
  }
  const salt = decodeBase64(attributes.values.get("s") ?? "");
  if (salt === undefined) return { problem: "sent a salt that is not base64" };
  const count = attributes.values.get("i") ?? "";
  const iterations = /^[1-9][0-9]{0,9}$/.test(count) ? Number(count) : Number.NaN;
  if (!(iterations >= iterationLimits.min && iterations <= iterationLimits.max)) {
    return { problem: "sent an iteration count outside 4,096 to 1,000,000" };
  }
  return { nonce, salt, iterations };
}

export function readServerFinal(message: Uint8Array): { readonly signature: Uint8Array } | ServerError | Problem {
  const attributes = readAttributes(message);
  if ("problem" in attributes) return attributes;
  const error = attributes.values.get("e");
  if (error !== undefined) return { error };
  const signature = attributes.order.startsWith("v") ? decodeBase64(attributes.values.get("v") ?? "") : undefined;
  return signature === undefined ? { problem: "sent no signature" } : { signature };
}

/** `saslname` of RFC 5802 section 7: a comma would end the attribute. */
export function escapeUsername(username: string): string {
  return username.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

interface Attributes {
  /** One letter an attribute, as they came. */
  readonly order: string;
  readonly values: ReadonlyMap<string, string>;
}

function readAttributes(message: Uint8Array): Attributes | Problem {
  if (message.length > maxMessageBytes) return { problem: "sent a message that is too long" };
  if (!isUtf8(message)) return { problem: "sent a message that is not UTF-8" };
  const values = new Map<string, string>();
  for (const part of new TextDecoder("utf-8", { ignoreBOM: true }).decode(message).split(",")) {
    const name = /^([A-Za-z])=/.exec(part)?.[1];
    if (name === undefined || values.has(name)) return { problem: "sent a message that is not one of SCRAM's" };
    values.set(name, part.slice(2));
  }
  // Section 5.1: an extension that we do not know and may not ignore.
  if (values.has("m")) return { problem: "demands an extension that the gateway does not know" };
  return { order: [...values.keys()].join(""), values };
}

/** Only what an encoder writes (RFC 4648 section 3.5): whole groups, padded, no stray bits. Undefined when empty too. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return text !== "" && bytes.toString("base64") === text ? bytes : undefined;
}
