/**
 * Whatever a message says, the stanza is well-formed and says just that: two XML parsers that share no code read it back,
 * over every code point there is, lone surrogates too.
 */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { makeMessage } from "../../src/http/fields.ts";
import { parseJid } from "../../src/jid.ts";
import type { Message } from "../../src/message.ts";
import { delayed, messageStanza } from "../../src/xmpp/stanza.ts";
import { jid } from "../support/jid.ts";
import { drawCarriableText, drawHtml, drawText, replaceForbidden } from "../support/odd-texts.ts";
import { allowed, makeRandom, type Random, sized } from "../support/soak.ts";
import { readStrictly, type Tree } from "../support/strict-xml.ts";
import { findHarm } from "../support/xhtml-harm.ts";
import { textOf, type XmlElement } from "../support/xml-element.ts";
import { makeXmlStream } from "../support/xml-stream.ts";

const codePoints = 0x11_0000;
const bob = jid("bob@example.com");
const timeoutMs = allowed(3_600_000, 60_000);

/** Stanzas from one stream, in pieces of any size. */
function makeReader(random: Random) {
  const stanzas: XmlElement[] = [];
  const problems: unknown[] = [];
  const stream = makeXmlStream((event) => {
    if (event.kind === "stanza") stanzas.push(event.element);
    else if (event.kind !== "header") problems.push(event);
  });
  stream.push(Buffer.from("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"));
  return {
    read(stanza: string): XmlElement {
      const bytes = Buffer.from(stanza);
      const cut = random.integer(0, bytes.length);
      stream.push(bytes.subarray(0, cut));
      expect(stanzas).toEqual([]);
      stream.push(bytes.subarray(cut));
      expect(problems).toEqual([]);
      const [element, ...more] = stanzas.splice(0);
      if (element === undefined || more.length > 0) throw new Error(`This is not one stanza: ${stanza}`);
      return element;
    },
  };
}

/** What a message means, said without its stanza's spelling. */
function meaningOf(
  { id, to, type, body, requestReceipt }: Message,
  html: readonly (Tree | string)[] | undefined,
): Tree {
  const client = (name: string, children: Tree["children"]): Tree => ({
    name: `{jabber:client}${name}`,
    attributes: [],
    children,
  });
  const children: Tree[] = [];
  if (typeof body === "string") children.push(client("body", [body]));
  if (html !== undefined) {
    const inner = { name: "{http://www.w3.org/1999/xhtml}body", attributes: [], children: html };
    children.push({ name: "{http://jabber.org/protocol/xhtml-im}html", attributes: [], children: [inner] });
  }
  if (requestReceipt) children.push({ name: "{urn:xmpp:receipts}request", attributes: [], children: [] });
  children.push({ name: "{urn:xmpp:sid:0}origin-id", attributes: [["id", id]], children: [] });
  return {
    ...client("message", children),
    attributes: [
      ["id", id],
      ["to", to.full],
      ["type", type],
    ],
  };
}

/** The stanza as it stands in a stream. */
function readStanza(stanza: string): Tree {
  const [only, ...more] = readStrictly(`<stream xmlns="jabber:client">${stanza}</stream>`).children;
  if (only === undefined || typeof only === "string" || more.length > 0) throw new Error(`Not one stanza: ${stanza}`);
  return only;
}

describe("a message", () => {
  test(
    "is read as it was meant, for every code point",
    () => {
      const random = makeRandom("hostile texts");
      const reader = makeReader(random);
      const count = sized(codePoints, 20_000);
      const counts = { refused: 0, replaced: 0, kept: 0 };
      for (let number = 0; number < count; number++) {
        // The first ones are where most rules change; the rest goes in steps through all of them.
        const codePoint = number < 0x400 ? number : Math.floor((number / count) * codePoints);
        const typed = drawText(random, 5, codePoint);
        const meant = replaceForbidden(typed);
        const refused = refusalOf(() => makeMessage({ body: typed }, bob, "refuse"));
        expect(refused).toBe(typed === meant ? undefined : "forbidden_character");
        counts[refused === undefined ? "kept" : "refused"] += 1;
        const made = makeMessage({ body: typed }, bob, "replace");
        if (typed !== meant) counts.replaced += 1;
        const id = drawCarriableText(random, 3);
        const message = { ...made, id, to: drawRecipient(random, codePoint), requestReceipt: random.chance(0.5) };
        const stanza = messageStanza(message);
        const meaning = meaningOf({ ...message, body: meant }, undefined);
        expect(readStanza(stanza)).toEqual(meaning);
        const element = reader.read(stanza);
        const [body] = element.children;
        expect([element.attributes["id"], element.attributes["to"], typeof body === "object" && textOf(body)]).toEqual([
          id,
          message.to.full,
          meant,
        ]);
      }
      expect(Object.values(counts).every((each) => each > count / 1_000)).toBe(true);
    },
    timeoutMs,
  );

  test(
    "is read as it was meant, with html in it",
    () => {
      const random = makeRandom("hostile html");
      const reader = makeReader(random);
      for (let number = sized(200_000, 3_000); number > 0; number--) {
        const html = drawHtml(random);
        const message = makeMessage({ body: "x", html: html.text }, bob, "refuse");
        const written = message.html === undefined ? undefined : html.means;
        const stanza = messageStanza(message);
        expect(readStanza(stanza)).toEqual(meaningOf(message, written));
        reader.read(stanza);
      }
    },
    timeoutMs,
  );

  test(
    "is one stanza, or refused, whatever stands in its html",
    () => {
      const random = makeRandom("hostile fragments");
      const reader = makeReader(random);
      const counts = { taken: 0, refused: 0 };
      for (let number = sized(200_000, 3_000); number > 0; number--) {
        const typed = random.chance(0.5) ? drawText(random, 6) : spoil(drawHtml(random).text, random);
        try {
          const message = makeMessage({ body: "x", html: typed }, bob, "replace");
          const stanza = messageStanza(message);
          readStanza(stanza);
          reader.read(stanza);
          expect(findHarm(message.html ?? "")).toEqual([]);
          counts.taken += 1;
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          expect(error.code).toBe("malformed_html");
          counts.refused += 1;
        }
      }
      expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100);
    },
    timeoutMs,
  );

  test("that is sent again says when it was sent first, and otherwise the same", () => {
    const stanza = messageStanza({ id: "1", to: bob, type: "chat", body: "</message>" });
    const since = new Date(0);
    const first = readStanza(stanza);
    const delay: Tree = { name: "{urn:xmpp:delay}delay", attributes: [["stamp", since.toISOString()]], children: [] };
    const again: Tree = { ...first, children: [...first.children, delay] };
    expect(readStanza(delayed(stanza, since))).toEqual(again);
  });
});

function refusalOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

/** With whatever a resource may hold. */
function drawRecipient(random: Random, codePoint: number) {
  const parsed = parseJid(`bob@example.com/${drawText(random, 3, codePoint)}`);
  return "jid" in parsed ? parsed.jid : bob;
}

/** A character less, or one too many. */
function spoil(text: string, random: Random): string {
  const at = random.integer(0, text.length + 1);
  return random.chance(0.5)
    ? text.slice(0, at) + text.slice(at + 1)
    : text.slice(0, at) + random.pick(["<", "&", ">", "'", '"', "/", "<b>", "]]>", "&nbsp;"]) + text.slice(at);
}
