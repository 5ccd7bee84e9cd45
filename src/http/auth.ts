/** Who is it: HTTP Basic (RFC 7617) with a bare JID, user@domain, as user-id. */

import { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import { keyedHash } from "../keyed-hash.ts";
import { Memo } from "../memo.ts";
import type { Credentials } from "../message.ts";
import type { HttpOptions } from "./options.ts";
import { duplicateHeader, readSingleHeader, withoutQuotedStrings } from "./single-header.ts";

/**
 * Far more would make a SASL PLAIN message over what servers take before a login (Prosody: 10,000 bytes), and the server's
 * complaint about that would fall back on every user of the host.
 */
const maxPasswordBytes = 1023;

type Hosts = Pick<HttpOptions, "isAllowedHost" | "onlyHost">;

/** What headers were found to say, by their keyed hashes, so that no password is kept. */
const known = new Memo<Identity>({ most: 10_000 });
/** In UTF-16 code units; nobody is to fill this table with long names before any check. */
const longestKnown = 400;

interface Identity {
  readonly account: Jid;
}

export function readCredentials(headers: Headers, hosts: Hosts): Credentials {
  const authorization = headers.get("authorization");
  if (authorization === null) throw missing();
  const key = keyedHash(authorization);
  const before = known.get(key);
  if (before !== undefined) return new BasicCredentials(before, authorization);
  const [userId] = readUserPass(authorization);
  const identity = { account: readAccount(userId, headers, hosts) };
  // A user-id without a domain says something else with another Host, or when the settings change.
  if (userId.includes("@") && authorization.length <= longestKnown) known.set(key, identity);
  return new BasicCredentials(identity, authorization);
}

/** Takes the password out of the header when it is asked for, which only a login does. */
class BasicCredentials implements Credentials {
  readonly account: Jid;
  readonly identity: Identity;
  readonly #authorization: string;

  constructor(identity: Identity, authorization: string) {
    this.account = identity.account;
    this.identity = identity;
    this.#authorization = authorization;
  }

  get password(): string {
    const [, password] = readUserPass(this.#authorization);
    return password;
  }
}

function readUserPass(authorization: string): readonly [userId: string, password: string] {
  const userPass = decodeBasic(readBasic(authorization));
  const colon = userPass.indexOf(":");
  if (colon < 0) throw unusable("there is no colon between user-id and password");
  const password = userPass.slice(colon + 1);
  if (password === "") throw unusable("the password is empty");
  if (Buffer.byteLength(password) > maxPasswordBytes) throw unusable("the password is too long");
  // A slice would share the memory of the whole, and keep the password in it for as long as the account is known.
  return [Buffer.from(userPass.slice(0, colon)).toString(), password];
}

/** Decided before any name lookup or connection. */
export function refuseForeignHost(account: Jid, hosts: Hosts): void {
  if (hosts.isAllowedHost(account.domain)) return;
  const detail = `Users of "${account.domain}" may not send through this gateway; it needs [hosts."${account.domain}"].`;
  throw new Failure("host_not_allowed", detail);
}

/** The base64 of the one Authorization header. */
function readBasic(value: string): string {
  if (holdsTwoCredentials(value)) throw duplicateHeader("authorization");
  const [, encoded] = /^basic(?: +(.*))?$/i.exec(value) ?? throwMissing();
  if (encoded === undefined) throw unusable('nothing follows the word "Basic"');
  return encoded;
}

/**
 * Bun joins repeated headers with ", ". Other schemes than Basic have commas of their own, but only before `name=value`
 * (RFC 9110 section 11.4).
 */
function holdsTwoCredentials(value: string): boolean {
  if (!value.includes(",")) return false;
  const [first, ...rest] = withoutQuotedStrings(value).split(",");
  if (rest.length > 0 && /^\s*(?:basic(?:\s|$)|$)/i.test(first ?? "")) return true;
  return rest.some((part) => !/^\s*[^\s=]+\s*=\s*[^\s=]/.test(part));
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A credential that is not UTF-8 cannot be one that we asked for: the challenge says charset="UTF-8". */
function decodeBasic(encoded: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw unusable("they are not base64");
  let text: string;
  try {
    text = utf8.decode(Buffer.from(encoded, "base64"));
  } catch (cause) {
    throw unusable("they are not UTF-8", cause);
  }
  if (/\p{Cc}/u.test(text)) throw unusable("they hold a control character");
  return text;
}

function readAccount(userId: string, headers: Headers, hosts: Hosts): Jid {
  if (userId === "") throw unusable("the user-id is empty");
  if (userId.includes("/")) throw unusable("the user-id has a resource; a bare JID, user@domain, is needed");
  const result = parseJid(userId.includes("@") ? userId : `${userId}@${defaultHost(headers, hosts)}`);
  if ("problem" in result) throw unusable(`the user-id is not an XMPP address: ${result.problem}`);
  if (result.jid.local === undefined) throw unusable("the user-id names no user");
  return result.jid;
}

/** For a user-id without "@". */
function defaultHost(headers: Headers, hosts: Hosts): string {
  const named = parseJid((readSingleHeader(headers, "host") ?? "").replace(/:\d*$/, ""));
  if ("jid" in named && named.jid.bare === named.jid.domain && hosts.isAllowedHost(named.jid.domain)) {
    return named.jid.domain;
  }
  if (hosts.onlyHost === undefined) throw unusable("the user-id names no domain; a bare JID, user@domain, is needed");
  return hosts.onlyHost;
}

function missing(): Failure {
  return new Failure(
    "credentials_missing",
    "The request has no HTTP Basic credentials; they are needed, with a bare JID, user@domain, as user-id.",
  );
}

function throwMissing(): never {
  throw missing();
}

function unusable(why: string, cause?: unknown): Failure {
  return new Failure("credentials_unusable", `The HTTP Basic credentials could not be used: ${why}.`, { cause });
}
