import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { asciiDomain } from "../../src/domain.ts";
import { bareJid, type Jid, parseJid } from "../../src/jid.ts";

function parse(text: string): Jid {
  const result = parseJid(text);
  if ("problem" in result) throw new Error(`${JSON.stringify(text)} is not an XMPP address: ${result.problem}`);
  return result.jid;
}

function problemOf(text: string): string {
  const result = parseJid(text);
  return "problem" in result ? result.problem : `none, it is ${result.jid.full}`;
}

describe("RFC 7622 section 3.5, table 1: valid addresses", () => {
  test.each([
    ["juliet@example.com", "juliet", "example.com", undefined],
    ["juliet@example.com/foo", "juliet", "example.com", "foo"],
    ["juliet@example.com/foo bar", "juliet", "example.com", "foo bar"],
    ["juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"],
    ["foo\\20bar@example.com", "foo\\20bar", "example.com", undefined],
    ["fussball@example.com", "fussball", "example.com", undefined],
    ["fu\u00DFball@example.com", "fu\u00DFball", "example.com", undefined],
    ["\u03C0@example.com", "\u03C0", "example.com", undefined],
    ["\u03A3@example.com/foo", "\u03C3", "example.com", "foo"],
    ["\u03C3@example.com/foo", "\u03C3", "example.com", "foo"],
    ["\u03C2@example.com/foo", "\u03C2", "example.com", "foo"],
    ["king@example.com/\u265A", "king", "example.com", "\u265A"],
    ["example.com", undefined, "example.com", undefined],
    ["example.com/foobar", undefined, "example.com", "foobar"],
    ["a.example.com/b@example.net", undefined, "a.example.com", "b@example.net"],
    // In table 2 as printed; erratum 4560 takes it out again, since OpaqueString allows the space.
    ["juliet@example.com/ foo", "juliet", "example.com", " foo"],
  ])("%s", (text, local, domain, resource) => {
    const bare = local === undefined ? domain : `${local}@${domain}`;
    const full = resource === undefined ? bare : `${bare}/${resource}`;
    expect(parse(text)).toEqual({ local, domain, resource, bare, full });
  });
});

describe("RFC 7622 section 3.5, table 2: what is no address", () => {
  test.each([
    ['"juliet"@example.com', "its local part holds U+0022, which is not allowed there"],
    ["foo bar@example.com", "its local part holds U+0020, which is not allowed there"],
    ["@example.com/", "its local part is empty"],
    ["henry\u2163@example.com", "its local part holds U+2163, which is not allowed there"],
    ["\u265A@example.com", "its local part holds U+265A, which is not allowed there"],
    ["juliet@", "its domain is empty"],
    ["/foobar", "its domain is empty"],
  ])("%s: %s", (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });
});

describe("the local part", () => {
  test.each([..."\"&':<>"])("refuses %s, which RFC 7622 section 3.3.1 excludes", (point) => {
    expect(problemOf(`a${point}b@example.com`)).toContain("its local part holds U+00");
  });

  test.each([..."＂＆＇／：＜＞＠"])("refuses %s, whose width mapping is an excluded character", (point) => {
    expect(problemOf(`a${point}b@example.com`)).toContain("its local part holds U+00");
  });

  test.each([
    ["a lone surrogate", "\uD800", "U+D800"],
    ["NUL", "\0", "U+0000"],
    ["a newline", "\n", "U+000A"],
    ["a carriage return", "\r", "U+000D"],
    ["a space", " ", "U+0020"],
    ["a no-break space", "\u00A0", "U+00A0"],
    ["KELVIN SIGN, which is no K here", "\u212A", "U+212A"],
  ])("refuses %s and names it", (_, point, name) => {
    expect(problemOf(`al${point}ice@example.com`)).toBe(`its local part holds ${name}, which is not allowed there`);
  });

  test("keeps the escapes of XEP-0106 as they are", () => {
    expect(parse("d\\27artagnan\\40gascon@example.com").local).toBe("d\\27artagnan\\40gascon");
  });

  test("loses its case, and the resource does not", () => {
    expect(parse("JULIET@Example.COM/Balcony").full).toBe("juliet@example.com/Balcony");
  });

  test("is never empty", () => {
    expect(problemOf("@example.com")).toBe("its local part is empty");
  });
});

describe("the three parts", () => {
  test("end where the first slash stands, whatever follows it", () => {
    expect(parse("a@b.example/c/d@e").resource).toBe("c/d@e");
  });

  test("have only one @ before the slash", () => {
    expect(problemOf("a@b@c")).toBe("its domain holds a second U+0040 (@)");
  });

  test.each([
    ["", "it is empty"],
    ["@", "its local part is empty"],
    ["/", "its domain is empty"],
    ["a@/b", "its domain is empty"],
    ["example.com/", "its resource is empty"],
    ["a@example.com/x\u0007", "its resource holds U+0007, which is not allowed there"],
    ["a@example.com/x\uDFFF", "its resource holds U+DFFF, which is not allowed there"],
  ])("%j has the problem: %s", (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  test("may have 1023 bytes of UTF-8 each, and not one more", () => {
    const local = "a".repeat(1023);
    expect(parse(`${local}@example.com`).local).toBe(local);
    expect(problemOf(`${local}a@example.com`)).toBe("its local part is 1024 bytes long, and at most 1023 are allowed");
    expect(parse(`example.com/${"\u20AC".repeat(341)}`).resource).toHaveLength(341);
    expect(problemOf(`example.com/${"\u20AC".repeat(342)}`)).toBe(
      "its resource is 1026 bytes long, and at most 1023 are allowed",
    );
  });

  test("are measured after normalising", () => {
    expect(parse(`${"e\u0301".repeat(511)}@example.com`).local).toBe("\u00E9".repeat(511));
    expect(problemOf(`${"\u00E9".repeat(512)}@example.com`)).toContain("is 1024 bytes long");
  });

  test.each([3_000, 1_000_000])("are refused quickly at %d characters", (length) => {
    const problem = `is ${length} bytes long, and at most 1023 are allowed`;
    expect(problemOf(`${"a".repeat(length)}@example.com`)).toBe(`its local part ${problem}`);
    expect(problemOf(`a@example.com/${"a".repeat(length)}`)).toBe(`its resource ${problem}`);
    expect(problemOf(`a@${"a".repeat(length)}`)).toStartWith("its domain ");
  });
});

describe("the domain", () => {
  test.each([
    ["EXAMPLE.com.", "example.com"],
    ["localhost", "localhost"],
    ["1.example", "1.example"],
    ["xn--bcher-kva.example", "b\u00FCcher.example"],
    ["XN--BCHER-KVA.example", "b\u00FCcher.example"],
    ["B\u00DCCHER.example", "b\u00FCcher.example"],
    ["bu\u0308cher.example", "b\u00FCcher.example"],
    ["\uFF45xample\u3002com\u3002", "example.com"],
    ["fa\u00DF.example", "fa\u00DF.example"],
    ["xn--fa-hia.example", "fa\u00DF.example"],
    ["l\u00B7l.example", "l\u00B7l.example"],
    ["\u05D0\u05D1.example", "\u05D0\u05D1.example"],
    ["192.0.2.1", "192.0.2.1"],
    ["[::1]", "[::1]"],
    ["[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"],
  ])("%s is %s", (text, domain) => {
    expect(parse(`alice@${text}`).bare).toBe(`alice@${domain}`);
    expect(parse(domain).domain).toBe(domain);
  });

  test.each([
    ["a b.example", "holds U+0020, which is not allowed there"],
    ["_xmpp.example", "holds U+005F, which is not allowed there"],
    ["example.com:5222", "holds U+003A, which is not allowed there"],
    ["example\n.com", "holds U+000A, which is not allowed there"],
    ["a\uFF20b.example", "holds U+0040, which is not allowed there"],
    ["\uD83D.example", "holds U+D83D, which is not allowed there"],
    ["\u2603.example", "holds U+2603, which is not allowed there"],
    ["xn--n3h.example", "holds U+2603, which is not allowed there"],
    ["a\u00B7b.example", "holds U+00B7, which is not allowed there"],
    ["a\u200Db.example", "holds U+200D, which is not allowed there"],
    ["a\u20D0.example", "holds U+20D0, which is not allowed there"],
    ["a..example", "has an empty label: two dots together, or one at its start"],
    [".example", "has an empty label: two dots together, or one at its start"],
    ["example..", "has an empty label: two dots together, or one at its start"],
    [".", "is empty"],
    ["-a.example", "has a label that begins or ends with a hyphen"],
    ["a-.example", "has a label that begins or ends with a hyphen"],
    ["ab--cd.example", "is not a name that IDNA 2008 (RFC 5891) allows"],
    ["xn--zzzzzz99999.example", "is not a name that IDNA 2008 (RFC 5891) allows"],
    ["\u0301a.example", "is not a name that IDNA 2008 (RFC 5891) allows"],
    ["\u05D0a.example", "is not a name that IDNA 2008 (RFC 5891) allows"],
    ["127.1", "ends in a number and is not an IPv4 address"],
    ["256.0.0.1", "ends in a number and is not an IPv4 address"],
    ["127.0.0.01", "ends in a number and is not an IPv4 address"],
    ["0x7f000001", "ends in a number and is not an IPv4 address"],
    ["[::1", "is not an IPv6 address in brackets"],
    ["[::1]:5222", "is not an IPv6 address in brackets"],
    ["[fe80::1%25eth0]", "is not an IPv6 address in brackets"],
    ["[192.0.2.1]", "is not an IPv6 address in brackets"],
    ["::1", "holds U+003A, which is not allowed there"],
  ])("%j is refused: %s", (text, problem) => {
    expect(problemOf(`alice@${text}`)).toBe(`its domain ${problem}`);
  });

  test("has labels of 63 bytes and 253 bytes in all at most, as DNS counts them", () => {
    const label = "a".repeat(63);
    const longest = `${label}.${label}.${label}.${"a".repeat(61)}`;
    expect(parse(longest).domain).toBe(longest);
    expect(problemOf(`${longest}a`)).toContain("more than 253 bytes");
    expect(problemOf(`${label}a.example`)).toContain("more than 63 bytes");
    expect(parse(`${"\u00E9".repeat(57)}.example`).local).toBeUndefined();
    expect(problemOf(`${"\u00E9".repeat(58)}.example`)).toContain("more than 63 bytes");
  });

  test.each([
    ["b\u00FCcher.example", "xn--bcher-kva.example"],
    ["example.com", "example.com"],
    ["192.0.2.1", "192.0.2.1"],
    ["[::1]", "[::1]"],
  ])("%s is %s for DNS and certificates", (domain, ascii) => {
    expect(asciiDomain(parse(domain).domain)).toBe(ascii);
  });
});

describe("equality", () => {
  test.each([
    ["ALICE@example.com", "alice@EXAMPLE.COM."],
    ["\uFF41lice@example.com", "alice@example.com"],
    ["\u00C9@example.com", "e\u0301@example.com"],
    ["a@xn--bcher-kva.example/r", "a@b\u00FCcher.example/r"],
    ["a@[::0001]", "a@[0::1]"],
    ["a@example.com/x\u00A0y", "a@example.com/x y"],
  ])("%s and %s are one address", (one, other) => {
    expect(parse(one)).toEqual(parse(other));
  });

  test.each([
    ["fussball@example.com", "fu\u00DFball@example.com"],
    ["a@fass.example", "a@fa\u00DF.example"],
    ["a@example.com/R", "a@example.com/r"],
    ["\u03C3@example.com", "\u03C2@example.com"],
  ])("%s and %s are two addresses", (one, other) => {
    expect(parse(one).full).not.toBe(parse(other).full);
  });

  test("normalising twice changes nothing, for any text, and an address always has its whole shape", () => {
    const typed = fc.string({
      unit: fc.constantFrom(
        ..."aAzé\u0301\u0308ßẞΣςİ1.-@/\u3002Ａ＠ｶﾞ漢・·lאב\u05B0ب١\u200C\u094Dक\u212A \u00A0[]:\\\"'",
      ),
      maxLength: 24,
    });
    const assembled = fc
      .tuple(fc.string({ unit: "grapheme", maxLength: 6 }), fc.domain(), fc.string({ unit: "grapheme", maxLength: 6 }))
      .map(([local, domain, resource]) => `${local}@${domain}/${resource}`);
    fc.assert(
      fc.property(fc.oneof(typed, assembled, fc.string({ unit: "binary" })), (text) => {
        const result = parseJid(text);
        if ("problem" in result) return expect(result.problem).toMatch(/^it(?:s (?:local part|domain|resource))? /);
        const { jid } = result;
        expect(parse(jid.full)).toEqual(jid);
        expect(jid.bare).toBe(jid.local === undefined ? jid.domain : `${jid.local}@${jid.domain}`);
        expect(jid.full).toBe(jid.resource === undefined ? jid.bare : `${jid.bare}/${jid.resource}`);
      }),
      { numRuns: 5000 },
    );
  });

  test("the quick way and the thorough way agree on plain ASCII", () => {
    const plain = fc.string({ unit: fc.constantFrom(..."abz09.-_+!@/ \\"), maxLength: 20 });
    fc.assert(
      fc.property(plain, (text) => {
        // A dot after the domain keeps an address off the quick ways and changes nothing else.
        const slash = text.indexOf("/");
        const domainEnd = slash < 0 ? text.length : slash;
        const domainStart = text.lastIndexOf("@", domainEnd) + 1;
        const domain = text.slice(domainStart, domainEnd);
        fc.pre(domain !== "" && !domain.endsWith("."));
        const thorough = `${text.slice(0, domainStart)}${domain.toUpperCase()}.${text.slice(domainEnd)}`;
        expect(parseJid(thorough)).toEqual(parseJid(text));
      }),
      { numRuns: 5000 },
    );
  });
});

describe("an address", () => {
  test("cannot be changed", () => {
    expect(Object.isFrozen(parse("alice@example.com"))).toBeTrue();
    expect(Object.isFrozen(parse("\u00C9@example.com/r"))).toBeTrue();
    expect(Object.isFrozen(bareJid(parse("alice@example.com/r")))).toBeTrue();
  });

  test("gives its bare form, and itself where it is bare already", () => {
    const bare = parse("alice@example.com");
    expect(bareJid(parse("alice@example.com/phone"))).toEqual(bare);
    expect(bareJid(bare)).toBe(bare);
    expect(bareJid(parse("example.com/r")).full).toBe("example.com");
  });
});
