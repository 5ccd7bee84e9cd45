import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Enforced, enforceOpaqueString, enforceUsername, opaqueString } from "../../src/precis.ts";
import { findForbidden } from "../../src/precis-class.ts";

function show(enforced: Enforced): string {
  return "text" in enforced ? enforced.text : `! ${enforced.problem}`;
}

/** Characters that obey or break another rule in each pool. */
const pools = [
  "aL1l·",
  "אבג׳\u05B0",
  "ابة",
  "٠١۰۱",
  "\u094Dकख\u200C\u200D",
  "͵αΣς",
  "・カ漢",
  "ＡｶﾞＢ＠",
  "É\u0302e\u0301",
  "ßẞİ",
  "\u00A0\u3000 ",
];
const word = fc
  .subarray(pools, { minLength: 1, maxLength: 3 })
  .chain((some) => fc.string({ unit: fc.constantFrom(...Array.from(some.join(""))), maxLength: 8 }));
const anyText = fc.oneof(word, fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));

describe("UsernameCaseMapped (RFC 8265 section 3.3)", () => {
  test.each([
    ["RFC 8265 table 1, 1", "juliet@example.com", "juliet@example.com"],
    ["RFC 8265 table 1, 2", "fussball", "fussball"],
    ["RFC 8265 table 1, 3", "fu\u00DFball", "fu\u00DFball"],
    ["RFC 8265 table 1, 4", "\u03C0", "\u03C0"],
    ["RFC 8265 table 1, 5", "\u03A3", "\u03C3"],
    ["RFC 8265 table 1, 6", "\u03C3", "\u03C3"],
    ["RFC 8265 table 1, 7", "\u03C2", "\u03C2"],
    ["upper case", "AlicE", "alice"],
    ["capital sharp s", "STRA\u1E9EE", "stra\u00DFe"],
    ["capital sigma at the end of a word", "\u0391\u03A3", "\u03B1\u03C3"],
    ["dotted capital I", "\u0130", "i\u0307"],
    ["fullwidth letters", "\uFF21\uFF42\uFF11", "ab1"],
    ["halfwidth katakana with its voiced mark", "\uFF76\uFF9E", "\u30AC"],
    ["decomposed letters", "e\u0301", "\u00E9"],
    ["Hebrew with a point and a digit", "\u05D0\u05B01", "\u05D0\u05B01"],
    ["middle dot between l", "L\u00B7L", "l\u00B7l"],
    ["keraia before Greek", "\u0375\u03B1", "\u0375\u03B1"],
    ["geresh after Hebrew", "\u05D0\u05F3", "\u05D0\u05F3"],
    ["katakana middle dot beside Han", "\u6F22\u30FBa", "\u6F22\u30FBa"],
    ["extended Arabic-Indic digits of one kind", "\u06CC\u06F1\u06F2", "\u06CC\u06F1\u06F2"],
    ["ZWJ after a virama", "\u0915\u094D\u200D\u0937", "\u0915\u094D\u200D\u0937"],
    ["ZWNJ after a virama", "\u0915\u094D\u200C\u0937", "\u0915\u094D\u200C\u0937"],
    ["ZWNJ between joining letters", "\u0628\u200C\u0628", "\u0628\u200C\u0628"],
    ["two ZWNJ, each between joining letters", "\u0628\u200C\u0628\u200C\u0628", "\u0628\u200C\u0628\u200C\u0628"],
  ])("takes %s", (_, typed, enforced) => {
    expect(show(enforceUsername(typed))).toBe(enforced);
  });

  test.each([
    ["RFC 8265 table 2, 8: a space", "foo bar", "U+0020"],
    ["RFC 8265 table 2, 10: Roman numeral four", "henry\u2163", "U+2163"],
    ["RFC 8265 table 2, 11: infinity", "\u221E", "U+221E"],
    ["KELVIN SIGN, compatible with k", "\u212Aelvin", "U+212A"],
    ["ANGSTROM SIGN, canonically equal to a letter", "\u212B", "U+212B"],
    ["a titlecase digraph", "\u01C5", "U+01C5"],
    ["a ligature", "\uFB01", "U+FB01"],
    ["an ideographic space, named as it was typed", "a\u3000b", "U+3000"],
    ["a control character", "a\u0007", "U+0007"],
    ["a newline", "a\nb", "U+000A"],
    ["DELETE", "a\u007F", "U+007F"],
    ["a lone high surrogate", "a\uD800", "U+D800"],
    ["a lone low surrogate", "\uDC00a", "U+DC00"],
    ["private use", "\uE000", "U+E000"],
    ["a noncharacter", "\uFFFE", "U+FFFE"],
    ["an unassigned code point", "\u{A0000}", "U+A0000"],
    ["a soft hyphen", "a\u00ADb", "U+00AD"],
    ["a direction override", "a\u202Eb", "U+202E"],
    ["conjoining Hangul", "\u1112\u1161", "U+1112"],
    ["Arabic tatweel", "\u0628\u0640", "U+0640"],
    ["an emoji", "\u{1F600}", "U+1F600"],
    ["middle dot elsewhere", "a\u00B7b", "U+00B7"],
    ["middle dot after l alone", "l\u00B7a", "U+00B7"],
    ["middle dot before l alone", "a\u00B7l", "U+00B7"],
    ["keraia before Latin", "\u0375a", "U+0375"],
    ["geresh after nothing", "\u05F3\u05D0", "U+05F3"],
    ["katakana middle dot in Latin", "a\u30FBb", "U+30FB"],
    ["ZWJ elsewhere", "a\u200Db", "U+200D"],
    ["ZWNJ elsewhere", "a\u200Cb", "U+200C"],
    ["ZWNJ after alef, which joins nothing to its left", "\u0628\u200C\u0628\u0627\u200C\u0628", "U+200C"],
  ])("refuses %s", (_, typed, name) => {
    expect(show(enforceUsername(typed))).toBe(`! holds ${name}, which is not allowed there`);
  });

  test.each([
    ["rule 1, a digit first", "1\u05D0"],
    ["rule 1, a mark first", "\u05B0\u05D0"],
    ["rule 2, Latin inside Hebrew", "\u05D0a\u05D0"],
    ["rule 3, punctuation last", "\u05D0-"],
    ["rule 4, both European and Arabic numbers", "\u06281\u0661"],
    ["rule 4, both kinds of Arabic digits", "\u0628\u0661\u06F1"],
    ["rule 5, Hebrew inside Latin", "a\u05D0"],
  ])("refuses text that breaks the Bidi Rule: %s", (_, typed) => {
    expect(show(enforceUsername(typed))).toBe("! breaks the Bidi Rule of RFC 5893 for right-to-left text");
  });

  test("refuses an empty name", () => {
    expect(show(enforceUsername(""))).toBe("! is empty");
  });

  test("gives a name that it gives again, or a problem, for any text", () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        const once = enforceUsername(typed);
        if ("problem" in once) return;
        expect(enforceUsername(once.text)).toEqual(once);
        expect(once.text.normalize("NFC")).toBe(once.text);
        expect(findForbidden(once.text, "identifier")).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("OpaqueString (RFC 8265 section 4.2)", () => {
  test.each([
    ["RFC 8265 table 3, 12", "correct horse battery staple", "correct horse battery staple"],
    ["RFC 8265 table 3, 13", "Correct Horse Battery Staple", "Correct Horse Battery Staple"],
    ["RFC 8265 table 3, 14", "\u03C0\u00DF\u00E5", "\u03C0\u00DF\u00E5"],
    ["RFC 8265 table 3, 15", "Jack of \u2666s", "Jack of \u2666s"],
    ["RFC 8265 table 3, 16", "foo\u1680bar", "foo bar"],
    ["spaces of every kind", "\u00A0a\u2003b\u3000", " a b "],
    ["a space alone", " ", " "],
    ["fullwidth letters, unmapped", "\uFF21", "\uFF21"],
    ["decomposed letters", "e\u0301", "\u00E9"],
    ["mixed directions", "a\u05D0", "a\u05D0"],
    ["an emoji", "\u{1F600}", "\u{1F600}"],
    ["XML's special characters", `<&>"'`, `<&>"'`],
  ])("takes %s", (_, typed, enforced) => {
    expect(opaqueString(typed)).toBe(enforced);
  });

  test.each([
    ["RFC 8265 table 4, 17: nothing", ""],
    ["RFC 8265 table 4, 18: a control character", "my cat is a \u0009by"],
    ["NUL", "a\0b"],
    ["a newline", "a\n"],
    ["DELETE", "\u007F"],
    ["a C1 control character", "\u0085"],
    ["a lone surrogate", "a\uDBFF"],
    ["private use", "\u{F0000}"],
    ["a noncharacter", "\u{1FFFF}"],
    ["an unassigned code point", "\u{A0000}"],
    ["a soft hyphen", "a\u00ADb"],
    ["ZWJ between emoji", "\u{1F468}\u200D\u{1F4BB}"],
    ["middle dot not between l", "a\u00B7b"],
    ["conjoining Hangul", "\u1112\u1161"],
    ["gershayim after Latin", "a\u05F4"],
    ["both kinds of Arabic digits", "\u0661\u06F1"],
  ])("refuses %s", (_, typed) => {
    expect(opaqueString(typed)).toBeUndefined();
  });

  test("gives a text that it gives again, or nothing, for any text", () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        const once = enforceOpaqueString(typed);
        if ("problem" in once) return;
        expect(enforceOpaqueString(once.text)).toEqual(once);
        expect(once.text).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });
});

test("every single code point gives the same name twice, and the classes nest", () => {
  const wrong: string[] = [];
  for (let number = 0; number <= 0x10ffff; number += number < 0x20000 ? 1 : 251) {
    const point = String.fromCodePoint(number);
    const once = enforceUsername(point);
    if ("text" in once && show(enforceUsername(once.text)) !== once.text) wrong.push(`twice ${number.toString(16)}`);
    const identifier = findForbidden(point, "identifier") === undefined;
    if (identifier && findForbidden(point, "freeform") !== undefined) wrong.push(`nest ${number.toString(16)}`);
  }
  expect(wrong).toEqual([]);
});

test("the classes have the members that the registry lists, at the borders of their categories", () => {
  const rows = [
    ["PVALID", "!~a\u00DF\u0101\u03C2\u06FD\u06FE\u0F0B\u3007\u3042\u4E00\uAC00\u{10000}\u{1E900}\u0903\u0300"],
    ["FREE_PVAL", " \u00A0\u00A1\u00AA\u00B2\u00BC\u0132\u01C5\u2160\u20DD\u20AC\u212A\uFB01\uFF21\u3131\u16EE"],
    [
      "DISALLOWED",
      "\0\u001F\u007F\u009F\u00AD\u034F\u0600\u0640\u07FA\u1100\u115F\u2028\u2029\u302E\u3031\u303B\uA960",
    ],
    ["UNASSIGNED", "\u{A0000}\u{E0080}"],
  ] as const;
  for (const [kind, members] of rows) {
    for (const point of members) {
      const identifier = findForbidden(point, "identifier") === undefined;
      const freeform = findForbidden(point, "freeform") === undefined;
      const name = `U+${point.codePointAt(0)?.toString(16)} ${identifier} ${freeform}`;
      expect(name).toEndWith(`${kind === "PVALID"} ${kind === "PVALID" || kind === "FREE_PVAL"}`);
    }
  }
});
