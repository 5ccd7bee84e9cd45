/**
 * What a session remembers of the password that opened it: a keyed digest, and a comparison that takes the same time
 * either way.
 */

import { timingSafeEqual } from "node:crypto";
import { keyedHash } from "../keyed-hash.ts";
import type { Credentials } from "../message.ts";

export interface Digest {
  readonly bytes: Buffer;
  /** The same, as a key of tables. */
  readonly text: string;
}

/** A request asks for it twice, before its body is read and when a session is looked for. */
const digests = new WeakMap<object, Digest>();

export function digestOf(credentials: Credentials): Digest {
  const identity = credentials.identity ?? credentials;
  const known = digests.get(identity);
  if (known !== undefined) return known;
  const text = keyedHash(`${credentials.account.bare}\0${credentials.password}`);
  const digest = { bytes: Buffer.from(text, "base64"), text };
  digests.set(identity, digest);
  return digest;
}

export function sameDigest(one: Digest, other: Digest): boolean {
  return one === other || timingSafeEqual(one.bytes, other.bytes);
}
