/** Messages with any of the fields, their texts being odd, and what a reader of the XEPs finds in the stanza. */

import type { Fields } from "../../src/http/fields-schema.ts";
import { drawText, replaceForbidden } from "./odd-texts.ts";
import type { Random } from "./soak.ts";
import type { Tree } from "./strict-xml.ts";

type Draw = (random: Random) => unknown;

/** With one that XML cannot carry, now and then. */
const draw = (random: Random, most: number) =>
  drawText(random, most, random.chance(0.1) ? random.pick([0, 0x1f, 0xd800, 0xdfff, 0xfffe, 0xffff]) : undefined);
const odd = (most: number) => (random: Random) => draw(random, most);
/** One that says something, and is no longer than an id may be. */
const some = (random: Random) => `x${draw(random, 3)}`.slice(0, 200).replace(/[\ud800-\udbff]$/, "");
const id = (random: Random) => some(random).replace(/\p{Cc}/gu, "-");
const byLanguage = (random: Random) => ({ en: some(random), "de-AT": some(random) });
const url = (random: Random) => `geo:${encodeURIComponent(replaceForbidden(drawText(random, 3)))}1`;
const jid = (random: Random) => random.pick(["room@rooms.example.com", "bob@example.com/a'\"<&", "example.org"]);
const position = (random: Random) => random.pick([0, 1, 4_294_967_295]);
const truth = (random: Random) => random.chance(0.8);

/** For each field that stands in the stanza, values that it takes. */
const drawers: Readonly<Record<Exclude<keyof Fields, "create_room" | "room_password">, Draw>> = {
  to: () => "bob@example.com",
  type: (random) => random.pick(["chat", "normal", "headline", "groupchat"]),
  body: (random) => (random.chance(0.7) ? some(random) : byLanguage(random)),
  html: (random) => `<p>${replaceForbidden(drawText(random, 2)).replace(/[<&]/g, "")}x</p>`.replaceAll("]]>", ""),
  kind: () => "message",
  from: () => "alice@example.com",
  id,
  lang: (random) => random.pick(["en", "de-AT", "zh-Hans-CN"]),
  subject: (random) => (random.chance(0.7) ? odd(3)(random) : byLanguage(random)),
  thread: (random) => (random.chance(0.5) ? some(random) : { id: some(random), parent: some(random) }),
  nick: some,
  oob_url: url,
  oob: (random) => ({ url: url(random), desc: odd(3)(random) }),
  state: (random) => random.pick(["active", "inactive", "gone", "composing", "paused"]),
  replace: some,
  reply: (random) => ({ id: some(random), to: jid(random) }),
  reactions: (random) => ({
    id: some(random),
    reactions: [`1${some(random)}`, `2${some(random)}`].slice(random.integer(0, 2)),
  }),
  attach_to: some,
  reference: (random) => ({ type: some(random), uri: url(random), begin: 0, end: position(random) }),
  markable: truth,
  displayed: some,
  invite: (random) => ({
    jid: jid(random),
    password: odd(2)(random),
    reason: odd(2)(random),
    continue: truth(random),
    thread: odd(1)(random),
  }),
  payload: (random) => ({
    datatype: some(random),
    data: { [some(random)]: [some(random), null, 1.5, { a: some(random) }] },
  }),
  delay: (random) => random.pick(["2002-09-10T23:08:25Z", "2026-01-02T03:04:05.678+02:00"]),
  fallback: (random) =>
    random.chance(0.5) ? truth(random) : { for: some(random), body: { start: position(random) }, subject: {} },
  encryption: some,
};

/** Always with a body; each of the others by chance. */
export function drawFields(random: Random): Fields & Readonly<Record<string, unknown>> {
  const drawn: Record<string, unknown> = { body: drawers.body(random) };
  for (const [name, draw] of Object.entries(drawers)) if (random.chance(0.3)) drawn[name] = draw(random);
  if (drawn["oob"] !== undefined) delete drawn["oob_url"];
  return drawn;
}

type Value = string | boolean | undefined | readonly Value[] | { readonly [name: string]: Value };

const lang = "{http://www.w3.org/XML/1998/namespace}lang";
const client = "jabber:client";

/** The values that the stanza's elements have by their XEPs, under the names of the fields. Numbers are texts there. */
export function readValues(stanza: Tree): Readonly<Record<string, Value>> {
  const values: Record<string, Value> = { ...attributesOf(stanza) };
  if (values[lang] !== undefined) values["lang"] = values[lang];
  delete values[lang];
  for (const child of stanza.children) {
    if (typeof child === "string") throw new Error("There is text in the message itself.");
    const read = readers[child.name];
    if (read === undefined) throw new Error(`Nobody knows ${child.name}.`);
    for (const [name, value] of Object.entries(read(child))) {
      const before = values[name];
      values[name] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
    }
  }
  return values;
}

type Reader = (element: Tree) => Readonly<Record<string, Value>>;

const asText =
  (name: string): Reader =>
  (element) => ({
    [name]: element.attributes.length === 0 ? textOf(element) : { [attribute(element, lang)]: textOf(element) },
  });
const asAttribute =
  (name: string, of: string): Reader =>
  (element) => ({ [name]: attribute(element, of) });
const asObject =
  (name: string): Reader =>
  (element) => ({ [name]: attributesOf(element) });

const readers: Readonly<Record<string, Reader>> = {
  [`{${client}}body`]: asText("body"),
  [`{${client}}subject`]: asText("subject"),
  [`{${client}}thread`]: (element) => ({ thread: { id: textOf(element), ...attributesOf(element) } }),
  "{http://jabber.org/protocol/nick}nick": asText("nick"),
  "{jabber:x:oob}x": (element) => ({ oob: textsIn(element) }),
  ...Object.fromEntries(
    ["active", "inactive", "gone", "composing", "paused"].map((state) => [
      `{http://jabber.org/protocol/chatstates}${state}`,
      () => ({ state }),
    ]),
  ),
  "{urn:xmpp:message-correct:0}replace": asAttribute("replace", "id"),
  "{urn:xmpp:reply:0}reply": asObject("reply"),
  "{urn:xmpp:reactions:0}reactions": (element) => ({
    reactions: { ...attributesOf(element), reactions: elementsIn(element).map(textOf) },
  }),
  "{urn:xmpp:hints}store": () => ({}),
  "{urn:xmpp:message-attaching:1}attach-to": asAttribute("attach_to", "id"),
  "{urn:xmpp:reference:0}reference": asObject("reference"),
  "{urn:xmpp:chat-markers:0}markable": () => ({ markable: true }),
  "{urn:xmpp:chat-markers:0}displayed": asAttribute("displayed", "id"),
  "{jabber:x:conference}x": asObject("invite"),
  "{urn:xmpp:json-msg:0}payload": (element) => ({
    payload: { ...attributesOf(element), data: JSON.parse(elementsIn(element).map(textOf).join("")) },
  }),
  "{urn:xmpp:delay}delay": asAttribute("delay", "stamp"),
  "{urn:xmpp:fallback:0}fallback": (element) => ({
    fallback:
      element.attributes.length + element.children.length === 0 ||
      Object.assign(
        attributesOf(element),
        ...elementsIn(element).map((part) => ({ [localName(part)]: attributesOf(part) })),
      ),
  }),
  "{urn:xmpp:eme:0}encryption": asAttribute("encryption", "namespace"),
  "{http://jabber.org/protocol/xhtml-im}html": () => ({}),
  "{urn:xmpp:sid:0}origin-id": asAttribute("origin_id", "id"),
};

/** What is to be found of the fields, forbidden characters being replaced. */
export function expectedValues(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, Value>> {
  const { kind: _kind, from: _from, html: _html, oob_url, thread, markable, fallback, payload, ...rest } = fields;
  const expected: Record<string, unknown> = { type: "chat", to: "bob@example.com", ...Object(asWritten(rest)) };
  if (oob_url !== undefined) expected["oob"] = { url: oob_url };
  if (thread !== undefined) expected["thread"] = asWritten(typeof thread === "string" ? { id: thread } : thread);
  if (markable === true) expected["markable"] = true;
  if (fallback !== undefined && fallback !== false) expected["fallback"] = asWritten(fallback);
  if (payload !== undefined) {
    const { datatype, data } = Object(payload);
    expected["payload"] = { datatype: replaceForbidden(datatype), data };
  }
  return Object(expected);
}

function asWritten(value: unknown): unknown {
  if (typeof value === "string") return replaceForbidden(value);
  if (typeof value === "number" || value === false) return String(value);
  if (value === true) return value;
  if (Array.isArray(value)) return value.map(asWritten);
  const members = Object.entries(Object(value));
  return Object.fromEntries(
    members.map(([name, member]) => [name, name === "continue" ? String(member) : asWritten(member)]),
  );
}

function attributesOf({ attributes }: Tree): Record<string, Value> {
  return Object.fromEntries(attributes);
}

function attribute(element: Tree, name: string): string {
  const value = element.attributes.find(([each]) => each === name)?.[1];
  if (value === undefined) throw new Error(`${element.name} has no ${name}.`);
  return value;
}

function elementsIn({ children }: Tree): Tree[] {
  return children.filter((child) => typeof child !== "string");
}

function textOf({ children }: Tree): string {
  return children.filter((child) => typeof child === "string").join("");
}

function textsIn(element: Tree): Record<string, Value> {
  return Object.fromEntries(elementsIn(element).map((child) => [localName(child), textOf(child)]));
}

function localName({ name }: Tree): string {
  return name.slice(name.indexOf("}") + 1);
}

function isObject(value: Value): value is { readonly [name: string]: Value } {
  return typeof value === "object" && !Array.isArray(value);
}
