/** What can happen to a server's bytes on their way out of a good server's mouth. */

import fc from "fast-check";

/** One change; places are fractions of the length, so that a plan fits whatever the bytes turn out to be. */
export type Mutation =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "remove" | "repeat" | "reverse"; readonly from: number; readonly to: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate" | "swap"; readonly at: number };

const sm = "xmlns='urn:xmpp:sm:3'";
const streamErrors = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'";
const sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'";

/** What parsers and protocols have stumbled over before. */
const nasty: readonly (string | Uint8Array)[] = [
  ...[
    "<",
    ">",
    "&",
    "'",
    '"',
    "/>",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?",
    "?>",
    "&nbsp;",
    "&#0;",
    "&#xD800;",
    "&lt;",
  ],
  ...[
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "<?xml version='1.0'?>",
    "</stream:stream>",
    "<stream:stream>",
    "<stream:error/>",
  ],
  ...[
    "\u0000",
    "\u0001",
    "\u0085",
    "\u2028",
    "\ufeff",
    "\ufffe",
    "😀",
    " ".repeat(3_000),
    "\r\n\t",
    "x".repeat(20_000),
  ],
  ...["<a>".repeat(70), "<a b='".repeat(9), "<x:y/>", "<a xmlns:x='' x:y=''/>", "<a a='1' a='2'/>", "<__proto__/>"],
  ...["<message/>", "<presence/>", "<iq/>", "<iq type='get' id='1'/>", "<iq type='result' id='bind'/>"],
  ...["<message from='@' type='error' id='1'/>", "<message from='' type='error'/>", "<iq type='get' from='@'/>"],
  ...[
    `<r ${sm}/>`,
    `<a ${sm}/>`,
    `<a ${sm} h='0'/>`,
    `<a ${sm} h='1'/>`,
    `<a ${sm} h='2'/>`,
    `<a ${sm} h='4294967295'/>`,
  ],
  ...[`<enabled ${sm}/>`, `<failed ${sm}/>`, `<failed ${sm} h='1'/>`, `<resumed ${sm} h='1' previd='x'/>`],
  ...[
    `<success ${sasl}/>`,
    `<success ${sasl}>=</success>`,
    `<challenge ${sasl}/>`,
    `<challenge ${sasl}>%%%</challenge>`,
  ],
  ...[`<failure ${sasl}/>`, `<failure ${sasl}><not-authorized/></failure>`, "<stream:features/>"],
  ...[
    "conflict",
    "policy-violation",
    "reset",
    "system-shutdown",
    "not-well-formed",
    "see-other-host",
    "host-unknown",
  ].map((condition) => `<stream:error><${condition} ${streamErrors}/></stream:error>`),
  Uint8Array.of(0xff),
  Uint8Array.of(0xc3),
  Uint8Array.of(0xed, 0xa0, 0x80),
  Uint8Array.of(0xf0, 0x9f),
  Uint8Array.of(0xfe, 0xff, 0x00, 0x3c),
  Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00),
];

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const range = fc
  .tuple(fraction, fraction)
  .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }));
/** At the borders of the server's words more often than inside of them. */
const place = fc.oneof(fc.constant(0), fc.constant(1), fraction);
const fragment = fc.constantFrom(...nasty).map((text) => Buffer.from(text));

export const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("flip" as const), at: fraction, bit: fc.nat(7) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("insert" as const), at: place, bytes: fragment }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("truncate" as const, "swap" as const), at: fraction }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom("remove" as const, "repeat" as const, "reverse" as const), range)
      .map(([kind, where]) => ({ kind, ...where })),
  },
);

export function mutate(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  const indexOf = (share: number) => Math.round(share * bytes.length);
  switch (mutation.kind) {
    case "flip": {
      const changed = Uint8Array.from(bytes);
      const index = Math.min(indexOf(mutation.at), bytes.length - 1);
      const old = changed[index];
      if (old !== undefined) changed[index] = old ^ (1 << mutation.bit);
      return changed;
    }
    case "truncate":
      return bytes.subarray(0, indexOf(mutation.at));
    case "insert":
      return join(bytes.subarray(0, indexOf(mutation.at)), mutation.bytes, bytes.subarray(indexOf(mutation.at)));
    case "swap":
      return join(bytes.subarray(indexOf(mutation.at)), bytes.subarray(0, indexOf(mutation.at)));
    default: {
      const [from, to] = [indexOf(mutation.from), indexOf(mutation.to)];
      const middle = bytes.subarray(from, to);
      const [head, tail] = [bytes.subarray(0, from), bytes.subarray(to)];
      if (mutation.kind === "remove") return join(head, tail);
      if (mutation.kind === "repeat") return join(head, middle, middle, tail);
      return join(head, Uint8Array.from(middle).reverse(), tail);
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** One piece a turn of the event loop, so that they are read one by one. */
export async function writePieces(
  bytes: Uint8Array,
  sizes: readonly number[],
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  // A long text in tiny pieces would be a test of patience.
  const least = Math.ceil(bytes.length / 40);
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const size = Math.max(least, sizes[piece % sizes.length] ?? bytes.length);
    write(bytes.subarray(at, at + size));
    at += size;
    if (at < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
}
