/** To whom: the path, or the field `to`; both are read by one rule. */

import { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import { quote } from "./quote.ts";

/** What follows the base path, percent-decoded; undefined when that is nothing. A slash in it begins the resource. */
export function recipientInPath(url: string, basePath: string): string | undefined {
  return decodePath(new URL(url).pathname.slice(basePath.length + 1));
}

/** Undefined: nothing. */
export function decodePath(raw: string): string | undefined {
  try {
    return raw === "" ? undefined : decodeURIComponent(raw);
  } catch (cause) {
    const detail = `The part ${quote(raw)} of the path is not percent-encoded UTF-8.`;
    throw new Failure("bad_path", detail, { cause });
  }
}

export function findRecipient(
  inPath: string | undefined,
  inField: string | undefined,
  sender: Jid,
  allowedHosts: readonly string[],
): Jid {
  const named = [inPath, inField].filter((each) => each !== undefined && each !== "");
  const [first, second] = named.map((each) => readRecipient(each ?? "", sender, allowedHosts));
  if (first === undefined) {
    throw new Failure(
      "no_recipient",
      'The message is for nobody; a recipient is needed, in the path or in the field "to".',
    );
  }
  if (second !== undefined && second.full !== first.full) {
    const detail = `The path says ${quote(first.full)} and the field "to" says ${quote(second.full)}; one recipient is needed.`;
    throw new Failure("recipient_conflict", detail);
  }
  return first;
}

/** Without "@": a domain JID if an allowed host or a sub-domain of one, else a user at the sender's own domain. */
function readRecipient(text: string, sender: Jid, allowedHosts: readonly string[]): Jid {
  const [bare = "", ...resource] = text.split("/");
  if (bare.includes("@")) return parse(text, text);
  const asDomain = parseJid(text);
  if ("jid" in asDomain && isWithin(asDomain.jid.domain, allowedHosts)) return asDomain.jid;
  return parse([`${bare}@${sender.domain}`, ...resource].join("/"), text);
}

function isWithin(domain: string, hosts: readonly string[]): boolean {
  return hosts.some((host) => domain === host || domain.endsWith(`.${host}`));
}

function parse(address: string, asWritten: string): Jid {
  const result = parseJid(address);
  if ("jid" in result) return result.jid;
  throw new Failure("bad_recipient", `The recipient ${quote(asWritten)} is not an XMPP address: ${result.problem}.`);
}
