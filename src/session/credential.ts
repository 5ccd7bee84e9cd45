/**
 * What a session remembers of the password that opened it: a digest under a key that lives as long as the process, so
 * that a memory dump does not give passwords away to a dictionary, and a comparison that takes the same time either way.
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../message.ts";

export type Digest = Buffer;

const processKey = randomBytes(32);

/** A request asks for it twice, before its body is read and when a session is looked for; it is computed once. */
const digests = new WeakMap<Credentials, Digest>();

export function digestOf(credentials: Credentials): Digest {
  const known = digests.get(credentials);
  if (known !== undefined) return known;
  const { account, password } = credentials;
  const digest = createHmac("sha256", processKey).update(`${account.bare}\0${password}`).digest();
  digests.set(credentials, digest);
  return digest;
}

export function sameDigest(one: Digest, other: Digest): boolean {
  return timingSafeEqual(one, other);
}
