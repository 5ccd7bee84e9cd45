/** Texts that a careless program would break on, and the rules of XML 1.0 by which they are judged. */

import type { Random } from "./soak.ts";
import { appendText, type Tree } from "./strict-xml.ts";

const lastCodePoint = 0x10ffff;
const xhtml = "http://www.w3.org/1999/xhtml";

const fragments = [
  ...[
    "<",
    ">",
    "&",
    '"',
    "'",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?pi?>",
    "&amp;",
    "&#0;",
    "&lt;",
    "</body>",
    "</message>",
  ],
  ...["<body>", "</stream:stream>", "<x xmlns='jabber:client'/>", "xmlns=''", "\r", "\n", "\t", "\r\n", " ", "\u0085"],
  ...[
    "\u2028",
    "\ufeff",
    "\u200b",
    "\u0301",
    "e\u0301",
    "👩‍👩‍👧",
    "\u{10ffff}",
    "\ufffd",
    "\ufdd0",
    "\u{1fffe}",
    "%41",
    "\\20",
  ],
];

/** A text of up to `most` pieces, around this code point if one is given (a surrogate, too). */
export function drawText(random: Random, most: number, codePoint?: number): string {
  const pieces = Array.from({ length: random.integer(0, most + 1) }, () => drawPiece(random));
  if (codePoint !== undefined) pieces.splice(random.integer(0, pieces.length + 1), 0, characterOf(codePoint));
  return pieces.join("");
}

/** What XML 1.0 can carry, and nothing else. */
export function drawCarriableText(random: Random, most: number): string {
  return replaceForbidden(drawText(random, most));
}

function drawPiece(random: Random): string {
  switch (random.integer(0, 4)) {
    case 0:
      return random.pick(fragments);
    case 1:
      return characterOf(random.integer(0, lastCodePoint + 1));
    case 2:
      return characterOf(random.integer(0, 0x300));
    default:
      return "some words ".slice(0, random.integer(1, 12));
  }
}

/** One half of a pair where it is a surrogate. */
function characterOf(codePoint: number): string {
  return codePoint >= 0xd800 && codePoint <= 0xdfff ? String.fromCharCode(codePoint) : String.fromCodePoint(codePoint);
}

/** XML 1.0 section 2.2, production 2, told by numbers. */
function isCarriable(character: string): boolean {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x20) return codePoint === 9 || codePoint === 10 || codePoint === 13;
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return false;
  return codePoint !== 0xfffe && codePoint !== 0xffff;
}

export function replaceForbidden(text: string): string {
  return Array.from(text, (character) => (isCarriable(character) ? character : "\ufffd")).join("");
}

/** An XHTML fragment as text, and what is left of it in XHTML-IM. */
export interface Fragment {
  readonly text: string;
  readonly means: readonly (Tree | string)[];
}

export function drawHtml(random: Random, depth = 3): Fragment {
  let text = "";
  const means: (Tree | string)[] = [];
  for (let count = random.integer(0, 4); count > 0; count--) {
    const piece = depth > 0 && random.chance(0.6) ? drawElement(random, depth) : drawCharacters(random);
    text += piece.text;
    for (const part of piece.means) {
      if (typeof part === "string") appendText(means, part);
      else means.push(part);
    }
  }
  return { text, means };
}

/** By what becomes of it: it stays, it gives way to its content, it goes, or it is a picture, which keeps any text. */
function drawElement(random: Random, depth: number): Fragment {
  const [written, fate, declaration] = random.pick([
    ["p", "stays", ""],
    ["span", "stays", ""],
    ["größe", "gives way", ""],
    ["svg", "goes", " xmlns='http://www.w3.org/2000/svg'"],
    ["m:math", "goes", ' xmlns:m="urn:math"'],
    ["img", "picture", ""],
  ] as const);
  const value = drawCarriableText(random, 4);
  if (fate === "picture") return drawPicture(value);
  const content = fate === "goes" ? drawCharacters(random) : drawHtml(random, depth - 1);
  const attributes = random.chance(0.5) ? ` title="${toReferences(value)}" xml:lang='de'` : "";
  const close = content.text === "" && random.chance(0.5) ? "/>" : `>${content.text}</${written} >`;
  const text = `<${written}${declaration}${attributes}${close}`;
  if (fate === "goes") return { text, means: [] };
  if (fate === "gives way") return { text, means: content.means };
  const kept = attributes === "" ? [] : [["{http://www.w3.org/XML/1998/namespace}lang", "de"] as const];
  return { text, means: [{ name: `{${xhtml}}${written}`, attributes: kept, children: content.means }] };
}

function drawPicture(value: string): Fragment {
  const attributes = [
    ["alt", value],
    ["src", "https://example.com/a.png"],
  ] as const;
  return {
    text: `<img src='https://example.com/a.png' alt="${toReferences(value)}"/>`,
    means: [{ name: `{${xhtml}}img`, attributes, children: [] }],
  };
}

/** As references, as CDATA, or as they are. */
function drawCharacters(random: Random): Fragment {
  const value = drawCarriableText(random, 4);
  if (random.chance(0.3) && !/[\r]|\]\]>/.test(value))
    return { text: `<![CDATA[${value}]]>`, means: value === "" ? [] : [value] };
  return { text: toReferences(value), means: value === "" ? [] : [value] };
}

/** Everything that could mean something else is a reference, in decimal or hexadecimal digits. */
function toReferences(value: string): string {
  return value.replace(/[&<>"'\r\n\t]/g, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return codePoint % 2 === 0 ? `&#${codePoint};` : `&#x${codePoint.toString(16)};`;
  });
}
