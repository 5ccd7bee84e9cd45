/** The server's side of SCRAM (RFC 5802, RFC 7677), written for the tests and strict about everything. */

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const pbkdf2Async = promisify(pbkdf2);

export interface ScramSettings {
  /** "sha1", "sha256" or "sha512" */
  readonly hash: string;
  readonly iterations: number;
  /** Default: one that belongs to the account. */
  readonly salt?: Uint8Array;
  /** The server's part. Default: a random one. */
  readonly nonce?: string;
  /** The client chose a mechanism that ends in -PLUS. */
  readonly plus: boolean;
  /** A mechanism that ends in -PLUS was offered: then a gs2 flag "y" means that somebody removed it. */
  readonly plusOffered: boolean;
  /** The bytes of that type of channel binding, where this connection has them. */
  channelBinding(type: string): Uint8Array | undefined;
  /** Undefined: no such account. */
  passwordOf(username: string): string | undefined;
}

export interface ScramServer {
  readonly username: string;
  /** To be sent as the challenge. */
  readonly serverFirst: string;
  /** The client's last word; resolves with what goes into the success, or undefined when the client is not proven. */
  finish(clientFinal: string): Promise<string | undefined>;
}

/** Undefined: the message breaks RFC 5802 section 7, or its gs2 flag does not fit. */
export function beginScram(clientFirst: string, settings: ScramSettings): ScramServer | undefined {
  const match =
    /^(?<gs2>(?<flag>n|y|p=(?<type>[A-Za-z0-9.-]+)),(?:a=[^,]*)?,)(?<bare>n=(?<name>[^,]*),r=(?<nonce>[^,]+))$/.exec(
      clientFirst,
    );
  const { gs2, flag, type, bare, name, nonce } = match?.groups ?? {};
  if (gs2 === undefined || bare === undefined || name === undefined || nonce === undefined) return undefined;
  // RFC 5802 section 6: with -PLUS the flag is "p"; "y" claims that no -PLUS was offered.
  if (settings.plus !== (type !== undefined) || (flag === "y" && settings.plusOffered)) return undefined;
  const binding = type === undefined ? new Uint8Array() : settings.channelBinding(type);
  if (binding === undefined) return undefined;

  const username = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
  const wholeNonce = nonce + (settings.nonce ?? randomBytes(18).toString("base64"));
  const salt = Buffer.from(settings.salt ?? saltFor(username));
  const serverFirst = `r=${wholeNonce},s=${salt.toString("base64")},i=${settings.iterations}`;
  const expected = `c=${Buffer.concat([Buffer.from(gs2), binding]).toString("base64")},r=${wholeNonce}`;
  return {
    username,
    serverFirst,
    finish: async (clientFinal) => {
      const password = settings.passwordOf(username);
      const proofAt = clientFinal.lastIndexOf(",p=");
      if (password === undefined || clientFinal.slice(0, proofAt) !== expected) return undefined;
      const keys = await deriveKeys(settings.hash, password, salt, settings.iterations);
      const authMessage = `${bare},${serverFirst},${expected}`;
      const signature = hmac(settings.hash, keys.storedKey, authMessage);
      const proof = Buffer.from(clientFinal.slice(proofAt + 3), "base64");
      if (proof.length !== signature.length) return undefined;
      const clientKey = proof.map((byte, index) => byte ^ (signature[index] ?? 0));
      if (!timingSafeEqual(createHash(settings.hash).update(clientKey).digest(), keys.storedKey)) return undefined;
      return `v=${hmac(settings.hash, keys.serverKey, authMessage).toString("base64")}`;
    },
  };
}

interface ScramKeys {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

// The peer shares the process with the program under test, whose CPU time some tests measure.
const derived = new Map<string, Promise<ScramKeys>>();

function deriveKeys(hash: string, password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const index = JSON.stringify([hash, password, salt.toString("hex"), iterations]);
  const known = derived.get(index);
  if (known !== undefined) return known;
  const length = createHash(hash).digest().length;
  const keys = pbkdf2Async(prepare(password), salt, iterations, length, hash).then((salted) => ({
    storedKey: createHash(hash)
      .update(hmac(hash, salted, "Client Key"))
      .digest(),
    serverKey: hmac(hash, salted, "Server Key"),
  }));
  derived.set(index, keys);
  return keys;
}

/** RFC 8265 section 4.2.2 (OpaqueString), as far as a test's passwords need it. */
function prepare(password: string): string {
  return password.replace(/\p{Zs}/gu, " ").normalize("NFC");
}

/** The same for an account each time, as on a real server. */
function saltFor(username: string): Buffer {
  return createHash("sha256").update(`salt of ${username}`).digest().subarray(0, 16);
}

function hmac(hash: string, key: Uint8Array, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}
