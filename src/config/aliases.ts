/** `[aliases]`: one name for several recipients. */

import { type Jid, parseJid } from "../jid.ts";
import { showText } from "./problem.ts";
import type { TomlEntry } from "./toml.ts";
import { list, type Read } from "./values.ts";

export const aliasNameRule = "must be a name of letters, digits and ._- for an alias, without the @";
const membersRule = `must be a list of addresses such as ["alice@example.com", "ops@conference.example.com"]`;

export const aliasType = list(membersRule, parseMember);

export function isAliasName(name: string): boolean {
  return /^[\p{L}\p{N}._-]{1,64}$/u.test(name);
}

/** `mayBeReached`: by the users of any host. Others are warned of. */
export function readAliases(
  entries: readonly TomlEntry[],
  mayBeReached: (member: Jid) => boolean,
  report: { warning(entry: TomlEntry, rule: string): void },
): ReadonlyMap<string, readonly Jid[]> {
  const aliases = new Map<string, readonly Jid[]>();
  for (const entry of entries) {
    const read = aliasType.read(entry.value);
    if (!("value" in read)) continue;
    aliases.set(entry.path[1] ?? "", read.value);
    const unreachable = read.value.find((member) => !mayBeReached(member));
    if (unreachable === undefined) continue;
    report.warning(entry, `should hold nobody whom no host's recipients allow, such as ${showText(unreachable.bare)}`);
  }
  return aliases;
}

function parseMember(text: string): Read<Jid> {
  if (text.startsWith("@"))
    return { rule: `${membersRule}; ${showText(text)} is an alias, and aliases cannot be nested` };
  const parsed = parseJid(text);
  if ("problem" in parsed) return { rule: `${membersRule}; ${showText(text)} is none: ${parsed.problem}` };
  if (parsed.jid.local === undefined) return { rule: `${membersRule}; ${showText(text)} names no user or room` };
  return { value: parsed.jid };
}
