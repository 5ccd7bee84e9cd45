/**
 * The arithmetic of SCRAM (RFC 5802 section 3). The slow part, PBKDF2, runs on a native thread: 10,000 iterations in
 * JavaScript took 170 to 450 ms of CPU.
 */

import { createHash, createHmac, pbkdf2 } from "node:crypto";
import { withAbort } from "../deadline.ts";
import type { ScramHash, ScramKeys } from "./exchange.ts";

export const hashLengths: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32, sha512: 64 };

/** `password` is prepared already. An abort does not stop the native computation, only the wait for it. */
export async function deriveKeys(
  hash: ScramHash,
  password: string,
  salt: Uint8Array,
  iterations: number,
  signal: AbortSignal,
): Promise<ScramKeys> {
  const salted = await withAbort<Uint8Array>(signal, (resolve, reject) => {
    pbkdf2(password, salt, iterations, hashLengths[hash], hash, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
  const clientKey = hmac(hash, salted, "Client Key");
  const serverKey = hmac(hash, salted, "Server Key");
  return { hash, salt, iterations, clientKey, serverKey };
}

export function clientProof(keys: ScramKeys, authMessage: string): Uint8Array {
  const storedKey = createHash(keys.hash).update(keys.clientKey).digest();
  const signature = hmac(keys.hash, storedKey, authMessage);
  return keys.clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
}

export function serverSignature(keys: ScramKeys, authMessage: string): Uint8Array {
  return hmac(keys.hash, keys.serverKey, authMessage);
}

function hmac(hash: ScramHash, key: Uint8Array, text: string): Uint8Array {
  return createHmac(hash, key).update(text).digest();
}
