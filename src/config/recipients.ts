/** Which recipients the users of a host may write to. */

import { type Jid, parseJid } from "../jid.ts";
import type { Read } from "./values.ts";

/** Domains and addresses are in `parseJid`'s normal form. */
export type RecipientPattern =
  | { readonly kind: "anybody" }
  | { readonly kind: "address"; readonly bare: string }
  | { readonly kind: "users"; readonly domain: string }
  | { readonly kind: "subdomains"; readonly domain: string };

export const recipientsRule = `must be a list such as ["*"], ["bob@example.com", "*@example.com", "*.example.org"]`;

export function parseRecipient(text: string): Read<RecipientPattern> {
  if (text === "*") return { value: { kind: "anybody" } };
  if (text.startsWith("*@")) return withDomain(text, text.slice(2), "users");
  if (text.startsWith("*.")) return withDomain(text, text.slice(2), "subdomains");
  const parsed = parseJid(text);
  if ("problem" in parsed) return refuse(text, parsed.problem);
  if (parsed.jid.resource !== undefined) return refuse(text, "it has a resource, which does not matter here");
  return { value: { kind: "address", bare: parsed.jid.bare } };
}

/** A resource does not matter. */
export function matchesRecipient(pattern: RecipientPattern, { local, domain, bare }: Jid): boolean {
  switch (pattern.kind) {
    case "anybody":
      return true;
    case "address":
      return bare === pattern.bare;
    case "users":
      return local !== undefined && domain === pattern.domain;
    case "subdomains":
      return domain.endsWith(`.${pattern.domain}`);
  }
}

function withDomain(text: string, domain: string, kind: "users" | "subdomains"): Read<RecipientPattern> {
  const parsed = parseJid(domain);
  if ("problem" in parsed) return refuse(text, parsed.problem);
  const { jid } = parsed;
  if (jid.local !== undefined || jid.resource !== undefined) return refuse(text, "a domain alone must follow the star");
  return { value: { kind, domain: jid.domain } };
}

function refuse(text: string, reason: string): Read<RecipientPattern> {
  return { rule: `${recipientsRule}; ${JSON.stringify(text)} is none: ${reason}` };
}
