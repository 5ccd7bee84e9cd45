/** To whom: the path, or the field `to`; both are read by one rule, and either may name several. */

import { nearest } from "../config/nearest.ts";
import { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import { remember } from "../memo.ts";
import { quote } from "./quote.ts";

/** One that was named: with its address, or with why there is none. */
export type Recipient = { readonly jid: Jid } | { readonly named: string; readonly failure: Failure };

export interface Recipients {
  /** Each once, in the order in which they were named. */
  readonly list: readonly Recipient[];
  /** They were named as a list, and their answer is one. */
  readonly several: boolean;
}

export interface Naming {
  readonly allowedHosts: readonly string[];
  /** What `@name` stands for. */
  readonly aliases: ReadonlyMap<string, readonly Jid[]>;
  readonly maxRecipients: number;
}

/**
 * What follows the base path, percent-decoded; empty when that is nothing. A slash in it begins the resource. A comma
 * stands between two recipients unless it is percent-encoded (%2C): it may be part of an address.
 */
export function recipientsInPath(basePath: string): (url: string) => readonly string[] {
  return remember((url) => splitRecipients(new URL(url).pathname.slice(basePath.length + 1)), {
    most: 10_000,
    longest: 500,
  });
}

/** The part of a path that names recipients. */
export function splitRecipients(raw: string): readonly string[] {
  return raw === "" ? [] : raw.split(",").map(decodePath);
}

export function decodePath(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    const detail = `The part ${quote(raw)} of the path is not percent-encoded UTF-8.`;
    throw new Failure("bad_path", detail, { cause });
  }
}

/** Throws what is wrong with the naming as a whole; with a single recipient that is all that can be. */
export function findRecipients(
  inPath: readonly string[],
  inField: string | readonly string[] | undefined,
  sender: Jid,
  naming: Naming,
): Recipients {
  const field = typeof inField === "string" ? [inField].filter((name) => name !== "") : (inField ?? []);
  const names = inPath.length > 0 ? inPath : field;
  if (names.length === 0) {
    throw new Failure(
      "no_recipient",
      'The message is for nobody; a recipient is needed, in the path or in the field "to".',
    );
  }
  const list = resolve(names, sender, naming);
  if (inPath.length > 0 && field.length > 0) refuseConflict(list, resolve(field, sender, naming));
  const several = names.length > 1 || Array.isArray(inField) || names.some((name) => name.startsWith("@"));
  const [first] = list;
  if (!several && first !== undefined && "failure" in first) throw first.failure;
  return { list, several };
}

function resolve(names: readonly string[], sender: Jid, naming: Naming): readonly Recipient[] {
  const [only] = names;
  // Nearly all requests.
  if (only !== undefined && names.length === 1 && !only.startsWith("@")) return resolveName(only, sender, naming);
  const found = new Map<string, Recipient>();
  // Who asks has not proven who he is yet: nothing is worked out for a name twice, nor for more than are taken.
  const distinct = new Set(names);
  if (distinct.size > naming.maxRecipients) throw tooMany(naming.maxRecipients);
  for (const name of distinct) {
    for (const recipient of resolveName(name, sender, naming)) {
      const key = "jid" in recipient ? recipient.jid.full : `${name}\n`;
      if (!found.has(key)) found.set(key, recipient);
    }
    if (found.size > naming.maxRecipients) throw tooMany(naming.maxRecipients);
  }
  return [...found.values()];
}

function resolveName(name: string, sender: Jid, naming: Naming): readonly Recipient[] {
  if (name.startsWith("@")) {
    const members = naming.aliases.get(name.slice(1));
    return members?.map((jid) => ({ jid })) ?? [{ named: name, failure: noSuchAlias(name, naming.aliases) }];
  }
  const parsed = readRecipient(name, sender, naming);
  return "failure" in parsed ? [{ named: name, failure: parsed.failure }] : [parsed];
}

/** Without "@": a domain JID if an allowed host or a sub-domain of one, else a user at the sender's own domain. */
function readRecipient(text: string, sender: Jid, { allowedHosts }: Naming): { jid: Jid } | { failure: Failure } {
  const [bare = "", ...resource] = text.split("/");
  if (bare.includes("@")) return parse(text, text);
  const asDomain = parseJid(text);
  if ("jid" in asDomain && isWithin(asDomain.jid.domain, allowedHosts)) return asDomain;
  return parse([`${bare}@${sender.domain}`, ...resource].join("/"), text);
}

function isWithin(domain: string, hosts: readonly string[]): boolean {
  return hosts.some((host) => domain === host || domain.endsWith(`.${host}`));
}

function parse(address: string, asWritten: string): { jid: Jid } | { failure: Failure } {
  const result = parseJid(address);
  if ("jid" in result) return result;
  const detail = `The recipient ${quote(asWritten)} is not an XMPP address: ${result.problem}.`;
  return { failure: new Failure("bad_recipient", detail) };
}

function noSuchAlias(name: string, aliases: ReadonlyMap<string, unknown>): Failure {
  const meant = nearest(name.slice(1, 64), [...aliases.keys()], 2);
  const hint = meant === undefined ? "it needs a place under [aliases]." : `did you mean "@${meant}"?`;
  return new Failure("bad_recipient", `The recipient ${quote(name)} is no alias of this gateway; ${hint}`);
}

function refuseConflict(inPath: readonly Recipient[], inField: readonly Recipient[]): void {
  const [path, field] = [describe(inPath), describe(inField)];
  if (path.join("\n") === field.join("\n")) return;
  const said = `The path says ${quote(path.join(", "))} and the field "to" says ${quote(field.join(", "))}`;
  throw new Failure("recipient_conflict", `${said}; one of the two is enough.`);
}

function describe(recipients: readonly Recipient[]): string[] {
  const names = recipients.map((recipient) => {
    // What is wrong with one of them is worth more than that they differ.
    if ("failure" in recipient) throw recipient.failure;
    return recipient.jid.full;
  });
  return names.sort();
}

function tooMany(most: number): Failure {
  const detail = `The message is for more than ${most} recipients, the most that are taken here; the setting is [http] max_recipients.`;
  return new Failure("too_many_recipients", detail);
}
