/**
 * The two PRECIS string classes (RFC 8264 section 4): which code points they hold, and the contextual rules.
 *
 * Derived here from the properties of the runtime's own Unicode version, as RFC 8264 section 9 asks; there is no
 * maintained PRECIS library for JavaScript (precis-js ended in 2015). The three properties that JavaScript's regular
 * expressions lack are read out of tr46, which needs the same rules for domain names; its version is pinned.
 */

import tables from "tr46/lib/regexes.js";

export type StringClass = "identifier" | "freeform";

/** The first code point of `text` that the class does not hold, or not in that place; undefined if there is none. */
export function findForbidden(text: string, stringClass: StringClass): string | undefined {
  const points = Array.from(text);
  const hasJapanese = japanese.test(text);
  const mixesDigits = arabicIndicDigit.test(text) && extendedArabicIndicDigit.test(text);
  return points.find((point, at) => {
    const kind = classify(point);
    if (kind !== "contextual") return !holds(stringClass, kind);
    if (point === "\u30FB") return !hasJapanese;
    return arabicDigit.test(point) ? mixesDigits : !fitsNeighbours(points, at);
  });
}

/** As `findForbidden`, but without the contextual rules: those are for text that is normalised already. */
export function isMember(point: string, stringClass: StringClass): boolean {
  const kind = classify(point);
  return kind === "contextual" || holds(stringClass, kind);
}

/** RFC 5893 section 2: text without a right-to-left character fulfils it, as RFC 8265 section 3.3.1 (5) says. */
export function fulfilsBidiRule(text: string): boolean {
  if (!tables.bidiDomain.test(text)) return true;
  const first = text.codePointAt(0);
  // Rule 5 forbids right-to-left characters in a left-to-right label, so only rules 1 to 4 are left to decide.
  return (
    first !== undefined &&
    tables.bidiS1RTL.test(String.fromCodePoint(first)) &&
    tables.bidiS2.test(text) &&
    tables.bidiS3.test(text) &&
    !(tables.bidiS4EN.test(text) && tables.bidiS4AN.test(text))
  );
}

type Kind = "valid" | "contextual" | "freeform only" | "disallowed";

function holds(stringClass: StringClass, kind: Kind): boolean {
  return kind === "valid" || (kind === "freeform only" && stringClass === "freeform");
}

const ascii7 = /^[!-~]$/;
const exceptionsValid = /^[\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007]$/u;
const exceptionsDisallowed = /^(?:\u0640|\u07FA|\u302E|\u302F|[\u3031-\u3035]|\u303B)$/u;
const exceptionsContextual = /^[\u00B7\u0375\u05F3\u05F4\u30FB\u0660-\u0669\u06F0-\u06F9]$/u;
const unassigned = /^(?!\p{Noncharacter_Code_Point})\p{Cn}$/u;
const joinControl = /^\p{Join_Control}$/u;
const oldHangulJamo = /^[\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7C6\uD7CB-\uD7FB]$/u;
const ignorable = /^[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]$/u;
const control = /^\p{Cc}$/u;
const letterDigit = /^[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]$/u;
const freeformOnly = /^[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]$/u;

/** RFC 8264 section 8, in its order; BackwardCompatible is empty. Surrogates and private use fall through to the end. */
function classify(point: string): Kind {
  if (ascii7.test(point)) return "valid";
  if (exceptionsValid.test(point)) return "valid";
  if (exceptionsDisallowed.test(point)) return "disallowed";
  if (exceptionsContextual.test(point)) return "contextual";
  if (unassigned.test(point)) return "disallowed";
  if (joinControl.test(point)) return "contextual";
  if (oldHangulJamo.test(point) || ignorable.test(point) || control.test(point)) return "disallowed";
  if (point.normalize("NFKC") !== point) return "freeform only";
  if (letterDigit.test(point)) return "valid";
  return freeformOnly.test(point) ? "freeform only" : "disallowed";
}

const arabicDigit = /^[\u0660-\u0669\u06F0-\u06F9]$/u;
const arabicIndicDigit = /[\u0660-\u0669]/u;
const extendedArabicIndicDigit = /[\u06F0-\u06F9]/u;
const greek = /^\p{Script=Greek}$/u;
const hebrew = /^\p{Script=Hebrew}$/u;
const japanese = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;
const zeroWidthNonJoiner = "\u200C";

/** RFC 5892 appendix A, rules A.1 to A.6, which look beside the character; A.7 to A.9 look at the text as a whole. */
function fitsNeighbours(points: readonly string[], at: number): boolean {
  const before = points[at - 1] ?? "";
  const after = points[at + 1] ?? "";
  switch (points[at]) {
    case zeroWidthNonJoiner:
      return tables.combiningClassVirama.test(before) || joinsAround(points, at);
    case "\u200D":
      return tables.combiningClassVirama.test(before);
    case "\u00B7":
      return before === "l" && after === "l";
    case "\u0375":
      return greek.test(after);
    default:
      return hebrew.test(before);
  }
}

/** The expression is not anchored, so it is shown a piece with exactly one U+200C in it: the one at `at`. */
function joinsAround(points: readonly string[], at: number): boolean {
  if (at === 0) return false;
  const from = points.lastIndexOf(zeroWidthNonJoiner, at - 1) + 1;
  const next = points.indexOf(zeroWidthNonJoiner, at + 1);
  return tables.validZWNJ.test(points.slice(from, next < 0 ? undefined : next).join(""));
}
