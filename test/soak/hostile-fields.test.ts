/**
 * Whatever the fields say, what is sent is one well-formed stanza that says the same by the XEPs, in the eyes of a parser
 * that shares nothing with the program; and read as application/xmpp+xml, it is the same message again.
 */

import { describe, expect, test } from "bun:test";
import { codes, Failure } from "../../src/errors.ts";
import { checkFields } from "../../src/http/check-fields.ts";
import { makeMessage } from "../../src/http/fields.ts";
import { collectFields } from "../../src/http/form-fields.ts";
import { statuses } from "../../src/http/problem.ts";
import { parseStanza } from "../../src/http/rest/stanza.ts";
import type { Message } from "../../src/message.ts";
import { messageStanza } from "../../src/xmpp/stanza.ts";
import { jid } from "../support/jid.ts";
import { drawFields, expectedValues, readValues } from "../support/odd-fields.ts";
import { drawText } from "../support/odd-texts.ts";
import { allowed, makeRandom, type Random, sized } from "../support/soak.ts";
import { readStrictly, type Tree } from "../support/strict-xml.ts";
import { findHarm } from "../support/xhtml-harm.ts";

const bob = jid("bob@example.com");
const timeoutMs = allowed(3_600_000, 60_000);
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

function readStanza(stanza: string): Tree {
  const [only, ...more] = readStrictly(`<stream xmlns="jabber:client">${stanza}</stream>`).children;
  if (only === undefined || typeof only === "string" || more.length > 0) throw new Error(`Not one stanza: ${stanza}`);
  return only;
}

/** Through the text that JSON makes of them, as they would come. */
function messageOf(document: object): Message {
  return makeMessage(checkFields(JSON.parse(JSON.stringify(document))), bob, "replace");
}

describe("fields", () => {
  test(
    "are said by the stanza as the XEPs have it",
    () => {
      const random = makeRandom("hostile fields");
      for (let number = sized(200_000, 4_000); number > 0; number--) {
        const fields = drawFields(random);
        const message = messageOf(fields);
        const { origin_id, ...values } = readValues(readStanza(messageStanza(message)));
        expect(origin_id).toBe(message.id);
        expect(values).toEqual({ id: message.id, ...expectedValues(fields) });
      }
    },
    timeoutMs,
  );

  test(
    "come back from the stanza when it is posted itself",
    () => {
      const random = makeRandom("fields and back");
      for (let number = sized(100_000, 2_000); number > 0; number--) {
        const message = messageOf(drawFields(random));
        const stanza = messageStanza({ ...message, requestReceipt: random.chance(0.5) });
        const { fields, elements } = parseStanza(Buffer.from(stanza), decode);
        expect(elements).toBeUndefined();
        expect(makeMessage(fields, bob, "refuse")).toEqual(message);
      }
    },
    timeoutMs,
  );

  test(
    "that are spoilt are refused in words, or still make a stanza",
    () => {
      const random = makeRandom("spoilt fields");
      const counts = { taken: 0, refused: 0 };
      for (let number = sized(200_000, 4_000); number > 0; number--) {
        const document = spoilValue(drawFields(random), random, 3);
        counts[judge(() => messageOf(Object(document)))] += 1;
      }
      expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100);
    },
    timeoutMs,
  );

  test(
    "of a spoilt form are, too",
    () => {
      const random = makeRandom("spoilt forms");
      const counts = { taken: 0, refused: 0 };
      for (let number = sized(200_000, 4_000); number > 0; number--) {
        const pairs = pairsOf(drawFields(random)).map(([name, value]): [string, string] =>
          random.chance(0.03) ? [spoilText(name, random), value] : [name, random.chance(0.03) ? "" : value],
        );
        counts[judge(() => makeMessage(collectFields(pairs), bob, "replace"))] += 1;
      }
      expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100);
    },
    timeoutMs,
  );

  test(
    "and elements of a spoilt stanza are, too, and nothing but a message comes of it",
    () => {
      const random = makeRandom("spoilt stanzas");
      const counts = { taken: 0, refused: 0 };
      for (let number = sized(200_000, 4_000); number > 0; number--) {
        const stanza = withForeign(messageStanza(messageOf(drawFields(random))), random);
        const spoilt = random.chance(0.7) ? spoilText(stanza, random) : stanza;
        const taken = judge(() => {
          const { fields, elements } = parseStanza(Buffer.from(spoilt), decode);
          return makeMessage(fields, bob, "replace", { elements });
        });
        counts[taken] += 1;
      }
      expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100);
    },
    timeoutMs,
  );
});

/** Only a Failure that is the caller's may be thrown, with a sentence; all else has to be one well-formed stanza. */
function judge(make: () => Message): "taken" | "refused" {
  let message: Message;
  try {
    message = make();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(codes).toContain(error.code);
    expect(Math.floor(statuses[error.code] / 100)).toBe(4);
    expect(error.message).toMatch(/^[A-Z].{10,600}[.?]$/s);
    return "refused";
  }
  const tree = readStanza(messageStanza(message));
  expect(tree.name).toBe("{jabber:client}message");
  const bodies = tree.children.filter((child) => typeof child !== "string" && child.name === "{jabber:client}body");
  expect(bodies.length).toBeLessThanOrEqual(typeof message.body === "object" ? 3 : 1);
  expect(findHarm(message.html ?? "")).toEqual([]);
  return "taken";
}

const oddValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "x",
  [],
  {},
  ["a", "a"],
  { id: 1 },
  { __proto__: null, toString: 1 },
];
const oddNames = ["__proto__", "constructor", "toString", "Body", "body ", "", "a/b~c", "oob.url", "\u0000", "\ud800"];

/** Some value, at some depth, is another one, or has another name, or is gone. */
function spoilValue(value: unknown, random: Random, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth === 0) return random.pick(oddValues);
  const members = Object.entries(value);
  const chosen = random.integer(0, members.length + 1);
  if (chosen === members.length)
    return Object.defineProperty({ ...value }, random.pick(oddNames), { value: 1, enumerable: true });
  const [name, member] = members[chosen] ?? ["", undefined];
  const changed = random.chance(0.1) ? undefined : spoilValue(member, random, depth - 1);
  return Array.isArray(value) ? value.with(chosen, changed) : { ...value, [name]: changed };
}

function spoilText(text: string, random: Random): string {
  const at = random.integer(0, text.length + 1);
  const piece = random.pick([
    ...["<", ">", "&", "'", '"', "/", "]]>", ".", " xmlns=''", " a:b='c'", "</body>"],
    drawText(random, 1),
  ]);
  return random.chance(0.5)
    ? text.slice(0, at) + text.slice(at + random.integer(1, 9))
    : text.slice(0, at) + piece + text.slice(at);
}

/** With an element that is no field. */
function withForeign(stanza: string, random: Random): string {
  const foreign = random.pick([
    "<x xmlns='urn:x' a='1'><y xmlns='' b='2'/></x>",
    "<p:x xmlns:p='urn:p' p:a='1' xml:lang='en'><p:y>&lt;</p:y></p:x>",
    "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>a</body></message></forwarded>",
    "<nick xmlns='http://jabber.org/protocol/nick' more='1'>a</nick>",
    "",
  ]);
  return stanza.replace("</message>", `${foreign}</message>`);
}

function pairsOf(value: object, prefix = ""): [string, string][] {
  return Object.entries(value).flatMap(([name, member]): [string, string][] => {
    const at = `${prefix}${name}`;
    if (at === "payload.data") return [[at, JSON.stringify(member)]];
    if (Array.isArray(member)) return member.map((item) => [at, String(item)]);
    return typeof member === "object" && member !== null ? pairsOf(member, `${at}.`) : [[at, String(member)]];
  });
}
