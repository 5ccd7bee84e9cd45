/** The server's side of SCRAM for the tests, written apart from the client's: synchronous, from the stored password. */

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

export interface ScramServer {
  readonly hash: "sha1" | "sha256" | "sha512";
  readonly password: string;
  readonly salt: string;
  readonly iterations: number;
}

export const serverNonce = "TheServersPart";

/** The first message, in answer to the client's. */
export function serverFirst(server: ScramServer, clientFirst: Uint8Array): string {
  const nonce = /,r=([^,]+)$/.exec(text(clientFirst))?.[1];
  return `r=${nonce}${serverNonce},s=${Buffer.from(server.salt).toString("base64")},i=${server.iterations}`;
}

/** The last message, or "wrong proof". */
export function serverFinal(server: ScramServer, clientFirst: Uint8Array, first: string, clientFinal: Uint8Array) {
  const bare = text(clientFirst).split(",").slice(2).join(",");
  const [withoutProof, proof] = text(clientFinal).split(",p=");
  const authMessage = `${bare},${first},${withoutProof}`;
  const { hash, salt, iterations } = server;
  const salted = pbkdf2Sync(server.password, salt, iterations, createHash(hash).digest().length, hash);
  const mac = (key: Uint8Array, data: string) => createHmac(hash, key).update(data).digest();
  const storedKey = createHash(hash).update(mac(salted, "Client Key")).digest();
  const clientKey = Buffer.from(proof ?? "", "base64").map((byte, at) => byte ^ (mac(storedKey, authMessage)[at] ?? 0));
  if (!createHash(hash).update(clientKey).digest().equals(storedKey)) return "wrong proof";
  return `v=${mac(mac(salted, "Server Key"), authMessage).toString("base64")}`;
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
