/**
 * What a session remembers of the password that opened it: a digest under a key that lives as long as the process, so
 * that a memory dump does not give passwords away to a dictionary, and a comparison that takes the same time either way.
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../message.ts";

export type Digest = Buffer;

const processKey = randomBytes(32);

export function digestOf({ account, password }: Credentials): Digest {
  return createHmac("sha256", processKey).update(account.bare).update("\0").update(password).digest();
}

export function sameDigest(one: Digest, other: Digest): boolean {
  return timingSafeEqual(one, other);
}
