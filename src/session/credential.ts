/**
 * What a session remembers of the password that opened it: a digest under a key that lives as long as the process, so
 * that a memory dump does not give passwords away to a dictionary, and a comparison that takes the same time either way.
 */

import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../message.ts";

export type Digest = Buffer;

const processKey = randomBytes(32).toString("base64");

/** A request asks for it twice, before its body is read and when a session is looked for; it is computed once.
 * A key in front is enough here, where nobody outside ever sees a digest, and half the price of an HMAC. */
const digests = new WeakMap<Credentials, Digest>();

export function digestOf(credentials: Credentials): Digest {
  const known = digests.get(credentials);
  if (known !== undefined) return known;
  const { account, password } = credentials;
  const digest = hash("sha256", `${processKey}${account.bare}\0${password}`, "buffer");
  digests.set(credentials, digest);
  return digest;
}

export function sameDigest(one: Digest, other: Digest): boolean {
  return timingSafeEqual(one, other);
}
