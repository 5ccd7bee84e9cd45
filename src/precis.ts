/** The PRECIS profiles of RFC 8265: UsernameCaseMapped for localparts, OpaqueString for resources and passwords. */

import { findForbidden, fulfilsBidiRule, isMember, type StringClass } from "./precis-class.ts";

/** A problem is a predicate: "its local part <problem>". */
export type Enforced = { readonly text: string } | { readonly problem: string };

/**
 * RFC 8265 section 3.3.3. Preparation (3.3.2) judges the characters as they were typed, only widths mapped, and before
 * case mapping and NFC. So U+212A KELVIN SIGN, which both would turn into "k", is refused as HasCompat, where the
 * general order of RFC 8264 section 7 alone would let it through as another account.
 */
export function enforceUsername(text: string): Enforced {
  const unprepared = findNonMember(text, "identifier", mapWidth);
  if (unprepared !== undefined) return { problem: describeForbidden(unprepared) };
  const enforced = applyUntilStable(text, (typed) => mapCase(mapWidth(typed)).normalize("NFC"));
  if (enforced === undefined) return { problem: "has no stable normal form (RFC 8264, section 7)" };
  if (!fulfilsBidiRule(enforced)) return { problem: "breaks the Bidi Rule of RFC 5893 for right-to-left text" };
  return judge(enforced, "identifier");
}

/** RFC 8265 section 4.2.3. Case, width and direction stay as they are. */
export function enforceOpaqueString(text: string): Enforced {
  const unprepared = findNonMember(text, "freeform", (point) => point);
  if (unprepared !== undefined) return { problem: describeForbidden(unprepared) };
  const enforced = applyUntilStable(text, (typed) => typed.replace(/\p{Zs}/gu, " ").normalize("NFC"));
  if (enforced === undefined) return { problem: "has no stable normal form (RFC 8264, section 7)" };
  return judge(enforced, "freeform");
}

/** A password by OpaqueString, ready for SASL; undefined where RFC 8265 section 4.2 does not allow it (empty, too). */
export function opaqueString(text: string): string | undefined {
  const enforced = enforceOpaqueString(text);
  return "text" in enforced ? enforced.text : undefined;
}

/** A predicate that names the code point: "holds U+0020, which is not allowed there". */
export function describeForbidden(point: string): string {
  const hex = (point.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `holds U+${hex}, which is not allowed there`;
}

function judge(enforced: string, stringClass: StringClass): Enforced {
  const forbidden = findForbidden(enforced, stringClass);
  if (forbidden !== undefined) return { problem: describeForbidden(forbidden) };
  return enforced === "" ? { problem: "is empty" } : { text: enforced };
}

/** Answers with the code point as it was typed, which is the one its author can find. */
function findNonMember(text: string, stringClass: StringClass, map: (point: string) => string): string | undefined {
  return Array.from(text).find((point) => !Array.from(map(point)).every((mapped) => isMember(mapped, stringClass)));
}

/** All characters with a <wide> or <narrow> decomposition. Where NFKC goes further than that, the class refuses both. */
function mapWidth(text: string): string {
  return text.replace(/[\u3000\uFF01-\uFFEE]/g, (point) => point.normalize("NFKC"));
}

/** Without Final_Sigma, the one rule of toLowerCase that looks around: PRECIS has no such rule (RFC 8265 section 3.5). */
function mapCase(text: string): string {
  return text.replaceAll("\u03A3", "\u03C3").toLowerCase();
}

/** RFC 8264 section 7: apply again until nothing changes, three times more at most. */
function applyUntilStable(text: string, rules: (text: string) => string): string | undefined {
  let before = rules(text);
  for (let again = 0; again < 3; again++) {
    const after = rules(before);
    if (after === before) return after;
    before = after;
  }
  return undefined;
}
