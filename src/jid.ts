/** XMPP addresses (RFC 7622): parsed, normalised and compared in one place. */

import { enforceDomain } from "./domain.ts";
import { remember } from "./memo.ts";
import { describeForbidden, type Enforced, enforceOpaqueString, enforceUsername } from "./precis.ts";

/** A normalised address. Equal addresses have equal strings. */
export interface Jid {
  readonly local: string | undefined;
  readonly domain: string;
  readonly resource: string | undefined;
  /** `local@domain`, or `domain`. */
  readonly bare: string;
  /** With the resource where there is one. */
  readonly full: string;
}

/** A problem is the end of a sentence: "… is not an XMPP address: <problem>". */
export type JidResult = { readonly jid: Jid } | { readonly problem: string };

const maxPartBytes = 1023;

// The address that needs no normalising: ASCII, lower case where case does not count, no number as its last label.
const plain =
  /^(?:([!#$%()*+,\-.0-9;=?[\\\]^_`a-z{|}~]+)@)?((?:[a-z0-9](?:-?[a-z0-9])*\.)*[a-z](?:-?[a-z0-9])*)(?:\/([ -~]+))?$/;
const maxPlainLength = 255;
const maxLabelLength = 63;

/**
 * Parses and normalises an address by RFC 7622, errata included. XEP-0106 escapes (`\20`) stay as they are: to a
 * server, `foo\20bar` is a name like any other.
 */
export const parseJid: (text: string) => JidResult = remember(parse, { most: 10_000, longest: maxPlainLength });

function parse(text: string): JidResult {
  if (text.length <= maxPlainLength) {
    const match = plain.exec(text);
    const domain = match?.[2];
    if (domain !== undefined && domain.length <= maxLabelLength)
      return { jid: makeJid(match?.[1], domain, match?.[3]) };
  }
  return parseAnyJid(text);
}

/** The address without its resource. */
export function bareJid(jid: Jid): Jid {
  return jid.resource === undefined ? jid : makeJid(jid.local, jid.domain, undefined);
}

/** RFC 7622 section 3.1: split first, by ASCII separators alone; mapping afterwards may well produce an "@" or "/". */
function parseAnyJid(text: string): JidResult {
  if (text === "") return { problem: "it is empty" };
  const [address, resourceText] = cut(text, text.indexOf("/"));
  const at = address.indexOf("@");
  const localText = at < 0 ? undefined : address.slice(0, at);
  const domainText = address.slice(at + 1);
  if (domainText.includes("@")) return { problem: "its domain holds a second U+0040 (@)" };

  const local = localText === undefined ? undefined : enforcePart(localText, enforceLocal);
  if (local !== undefined && "problem" in local) return { problem: `its local part ${local.problem}` };
  const domain = enforcePart(domainText, enforceDomain);
  if ("problem" in domain) return { problem: `its domain ${domain.problem}` };
  const resource = resourceText === undefined ? undefined : enforcePart(resourceText, enforceOpaqueString);
  if (resource !== undefined && "problem" in resource) return { problem: `its resource ${resource.problem}` };
  return { jid: makeJid(local?.text, domain.text, resource?.text) };
}

function cut(text: string, at: number): readonly [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** RFC 7622 section 3.3.1: these are in the IdentifierClass, and yet not for localparts, however they were spelt. */
function enforceLocal(text: string): Enforced {
  const enforced = enforceUsername(text);
  const excluded = "text" in enforced ? /["&'/:<>@]/.exec(enforced.text)?.[0] : undefined;
  return excluded === undefined ? enforced : { problem: describeForbidden(excluded) };
}

/** The limit holds for the normalised part; normalising never takes four UTF-16 units a byte, so the first test is safe. */
function enforcePart(text: string, enforce: (text: string) => Enforced): Enforced {
  if (text.length > 4 * maxPartBytes) return { problem: describeLength(Buffer.byteLength(text)) };
  const enforced = enforce(text);
  if ("problem" in enforced) return enforced;
  const bytes = Buffer.byteLength(enforced.text);
  return bytes > maxPartBytes ? { problem: describeLength(bytes) } : enforced;
}

function describeLength(bytes: number): string {
  return `is ${bytes} bytes long, and at most ${maxPartBytes} are allowed`;
}

function makeJid(local: string | undefined, domain: string, resource: string | undefined): Jid {
  const bare = local === undefined ? domain : `${local}@${domain}`;
  const full = resource === undefined ? bare : `${bare}/${resource}`;
  return Object.freeze({ local, domain, resource, bare, full });
}
