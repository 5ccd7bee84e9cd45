/** The domain of an XMPP address (RFC 7622 section 3.2): an IPv4 address, an IPv6 address in brackets, or an IDNA name. */

import { toASCII, toUnicode } from "tr46";
import { describeForbidden, type Enforced } from "./precis.ts";
import { findForbidden } from "./precis-class.ts";

// Without "--", which only names with a meaning of their own hold (RFC 5890 section 2.3.1).
const plainName = /^(?:[a-z0-9](?:-?[a-z0-9])*\.)*[a-z](?:-?[a-z0-9])*$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const endsInNumber = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
// RFC 5892 section 2.4, IgnorableBlocks: the one category that IDNA forbids and neither UTS 46 nor PRECIS does.
const ignorableBlocks = /[\u20D0-\u20FF\u{1D100}-\u{1D24F}]/u;
const strict = { checkBidi: true, checkHyphens: true, checkJoiners: true, useSTD3ASCIIRules: true } as const;

/** In lower case, of U-labels, without a trailing dot. A problem is a predicate: "its domain <problem>". */
export function enforceDomain(text: string): Enforced {
  if (text === "") return { problem: "is empty" };
  if (text.startsWith("[")) return enforceIpv6(text);
  const lower = /^[!-~]+$/.test(text) ? text.toLowerCase() : undefined;
  if (lower !== undefined && lower.length <= 63 && plainName.test(lower)) return { text: lower };
  return enforceName(text);
}

/** The form that DNS and certificates use: A-labels (RFC 5890 section 2.3.2.1). `domain` is one that is enforced. */
export function asciiDomain(domain: string): string {
  return toASCII(domain, strict) ?? domain;
}

/** UTS 46 maps and checks; what it lets through beyond IDNA 2008 (symbols, U+00B7 anywhere) is refused here. */
function enforceName(text: string): Enforced {
  const mapped = toUnicode(text, strict);
  const name = mapped.domain.replace(/\.$/, "");
  if (name === "") return { problem: "is empty" };
  const labels = name.split(".");
  if (labels.includes("")) return { problem: "has an empty label: two dots together, or one at its start" };
  for (const label of labels) {
    const forbidden = /[\0-,/:-`{-\x7F]/.exec(label)?.[0] ?? ignorableBlocks.exec(label)?.[0];
    const offender = forbidden ?? findForbidden(label, "identifier");
    if (offender !== undefined) return { problem: describeForbidden(offender) };
    if (/^-|-$/.test(label)) return { problem: "has a label that begins or ends with a hyphen" };
  }
  if (mapped.error) return { problem: "is not a name that IDNA 2008 (RFC 5891) allows" };
  // Resolvers read 127.1 and 0x7f000001 as addresses; an address has one spelling here.
  if (endsInNumber.test(name) && !ipv4.test(name)) return { problem: "ends in a number and is not an IPv4 address" };
  if (toASCII(name, { ...strict, verifyDNSLength: true }) === null) {
    return { problem: "has a label of more than 63 bytes, or more than 253 bytes in all, as DNS counts them" };
  }
  return { text: name };
}

function enforceIpv6(text: string): Enforced {
  const url = /^\[[0-9A-Fa-f:.]+\]$/.test(text) ? URL.parse(`http://${text}/`) : null;
  // The URL parser's spelling is the shortest one, so that equal addresses are equal strings.
  return url === null ? { problem: "is not an IPv6 address in brackets" } : { text: url.hostname };
}
