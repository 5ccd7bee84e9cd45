/** Each field's element, by the example of the XEP that has it, and back. */

import { describe, expect, test } from "bun:test";
import { elements, fieldOf, writeExtensions } from "../../src/fields/elements.ts";
import type { Extensions } from "../../src/message.ts";
import { parseElement } from "../../src/xml/parse.ts";
import { readStrictly } from "../support/strict-xml.ts";

type Example = {
  readonly [Name in keyof Extensions]-?: readonly (readonly [value: Extensions[Name], xep: string, read?: unknown])[];
};

/** The value, the XEP's own example of it, and what is read from that where it differs from the value. */
const examples: Example = {
  subject: [
    ["Imploring", "<subject>Imploring</subject>"],
    // RFC 6121 section 5.2.4
    [
      { en: "I implore you!", cs: "Úpěnlivě prosím!" },
      `<subject xml:lang='en'>I implore you!</subject><subject xml:lang='cs'>Úpěnlivě prosím!</subject>`,
    ],
  ],
  thread: [
    [
      { id: "e0ffe42b28561960c6b12b944a092794b9683a38", parent: "7edac73ab41e45c4aafa7b2d7b749080" },
      "<thread parent='7edac73ab41e45c4aafa7b2d7b749080'>e0ffe42b28561960c6b12b944a092794b9683a38</thread>",
    ],
    [{ id: "e0ffe42b28561960c6b12b944a092794b9683a38" }, "<thread>e0ffe42b28561960c6b12b944a092794b9683a38</thread>"],
  ],
  nick: [["Ishmael", "<nick xmlns='http://jabber.org/protocol/nick'>Ishmael</nick>"]],
  oob: [
    [
      { url: "http://www.jabber.org/images/psa-license.jpg" },
      "<x xmlns='jabber:x:oob'><url>http://www.jabber.org/images/psa-license.jpg</url></x>",
    ],
    [
      { url: "http://www.jabber.org/images/psa-license.jpg", desc: "A license to Jabber!" },
      `<x xmlns='jabber:x:oob'>
         <url>http://www.jabber.org/images/psa-license.jpg</url>
         <desc>A license to Jabber!</desc>
       </x>`,
    ],
  ],
  state: [
    ["active", "<active xmlns='http://jabber.org/protocol/chatstates'/>"],
    ["composing", "<composing xmlns='http://jabber.org/protocol/chatstates'/>"],
    ["paused", "<paused xmlns='http://jabber.org/protocol/chatstates'/>"],
    ["inactive", "<inactive xmlns='http://jabber.org/protocol/chatstates'/>"],
    ["gone", "<gone xmlns='http://jabber.org/protocol/chatstates'/>"],
  ],
  replace: [["bad1", "<replace id='bad1' xmlns='urn:xmpp:message-correct:0'/>"]],
  reply: [
    [
      { to: "anna@example.com/tablet", id: "message-id1" },
      "<reply to='anna@example.com/tablet' id='message-id1' xmlns='urn:xmpp:reply:0' />",
    ],
    [{ id: "message-id1" }, "<reply id='message-id1' xmlns='urn:xmpp:reply:0' />"],
  ],
  reactions: [
    [
      { id: "744f6e18-a57a-11e9-a656-4889e7820c76", reactions: ["👋", "🐢"] },
      `<reactions id='744f6e18-a57a-11e9-a656-4889e7820c76' xmlns='urn:xmpp:reactions:0'>
         <reaction>👋</reaction>
         <reaction>🐢</reaction>
       </reactions>
       <store xmlns="urn:xmpp:hints"/>`,
    ],
    [
      { id: "744f6e18-a57a-11e9-a656-4889e7820c76", reactions: [] },
      `<reactions id='744f6e18-a57a-11e9-a656-4889e7820c76' xmlns='urn:xmpp:reactions:0'/><store xmlns="urn:xmpp:hints"/>`,
    ],
  ],
  attach_to: [["SD24VCzSYQ", "<attach-to id='SD24VCzSYQ' xmlns='urn:xmpp:message-attaching:1'/>"]],
  reference: [
    [
      { type: "mention", uri: "xmpp:juliet@capulet.lit", begin: 72, end: 78 },
      `<reference xmlns='urn:xmpp:reference:0' begin='72' end='78' type='mention' uri='xmpp:juliet@capulet.lit'/>`,
      { type: "mention", uri: "xmpp:juliet@capulet.lit", begin: "72", end: "78" },
    ],
  ],
  markable: [[true, "<markable xmlns='urn:xmpp:chat-markers:0'/>", "true"]],
  displayed: [["the-msg-1", "<displayed xmlns='urn:xmpp:chat-markers:0' id='the-msg-1'/>"]],
  invite: [
    [
      {
        jid: "darkcave@macbeth.shakespeare.lit",
        password: "cauldronburn",
        reason: "Hey Hecate, this is the place for all good witches!",
      },
      `<x xmlns='jabber:x:conference' jid='darkcave@macbeth.shakespeare.lit' password='cauldronburn'
          reason='Hey Hecate, this is the place for all good witches!'/>`,
    ],
    [
      {
        jid: "darkcave@macbeth.shakespeare.lit",
        password: "cauldronburn",
        reason: "Hey Hecate, this is the place for all good witches!",
        continue: true,
        thread: "e0ffe42b28561960c6b12b944a092794b9683a38",
      },
      `<x xmlns='jabber:x:conference' continue='true' jid='darkcave@macbeth.shakespeare.lit' password='cauldronburn'
          reason='Hey Hecate, this is the place for all good witches!' thread='e0ffe42b28561960c6b12b944a092794b9683a38'/>`,
      {
        jid: "darkcave@macbeth.shakespeare.lit",
        password: "cauldronburn",
        reason: "Hey Hecate, this is the place for all good witches!",
        continue: "true",
        thread: "e0ffe42b28561960c6b12b944a092794b9683a38",
      },
    ],
  ],
  payload: [
    [
      { datatype: "urn:example:foo", json: '{"annoying-teenager-level":11}' },
      `<payload xmlns="urn:xmpp:json-msg:0" datatype="urn:example:foo">
         <json xmlns="urn:xmpp:json:0">{"annoying-teenager-level":11}</json>
       </payload>`,
      { datatype: "urn:example:foo", data: '{"annoying-teenager-level":11}' },
    ],
  ],
  delay: [["2002-09-10T23:41:07Z", "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:41:07Z'/>"]],
  fallback: [
    [true, "<fallback xmlns='urn:xmpp:fallback:0'/>", "true"],
    [
      { for: "urn:xmpp:reply:0", body: { start: 0, end: 33 } },
      `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>
         <body start='0' end='33' />
       </fallback>`,
      { for: "urn:xmpp:reply:0", body: { start: "0", end: "33" } },
    ],
    [
      { for: "urn:xmpp:reply:0", subject: {} },
      `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><subject/></fallback>`,
    ],
  ],
  encryption: [["urn:xmpp:otr:0", "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>"]],
};

/** As in a message, without the white space that only makes examples readable. */
function inMessage(xml: string) {
  return readStrictly(`<message xmlns='jabber:client'>${xml.replace(/>\s+</g, "><")}</message>`);
}

const all = Object.entries(examples).flatMap(([name, each]) => each.map((example) => [name, ...example] as const));

describe("a field's element", () => {
  test.each(all)("%s %j is the one of its XEP's example", (name, value, xml) => {
    expect(inMessage(writeExtensions({ [name]: value }))).toEqual(inMessage(xml));
  });

  test.each(all)("%s %j is read from it", (name, value, xml, read = value) => {
    const element = parseElement(`<message xmlns='jabber:client'>${xml}</message>`);
    const own = element.children.filter((child) => typeof child !== "string" && child.name !== "store");
    const shape = Object.entries(elements).find(([each]) => each === name)?.[1];
    const found = own.map((child) => (typeof child === "string" ? undefined : shape?.read(child)));
    for (const child of own) expect(typeof child === "string" ? "" : fieldOf(child)).toBe(fieldOf(Object(own[0])));
    const [first] = found;
    expect(found.length > 1 ? Object.assign({}, ...found) : first).toEqual(read);
  });
});

test("every field says where it is specified, and has elements that no other has", () => {
  const seen = new Set<string>();
  for (const { from, namespace, names } of Object.values(elements)) {
    expect(from).toMatch(/^(RFC|XEP)[- ]\d{4}$/);
    for (const name of names) {
      expect(seen).not.toContain(`${namespace} ${name}`);
      seen.add(`${namespace} ${name}`);
    }
  }
});

test("an element that says more than its field can is not read as the field", () => {
  for (const xml of [
    "<nick xmlns='http://jabber.org/protocol/nick' xml:lang='en'>a</nick>",
    "<nick xmlns='http://jabber.org/protocol/nick'>a<b/></nick>",
    "<replace xmlns='urn:xmpp:message-correct:0' id='1' more='2'/>",
    "<replace xmlns='urn:xmpp:message-correct:0' id='1'>text</replace>",
    "<replace xmlns='urn:xmpp:message-correct:0' xmlns:a='u:v' a:id='1'/>",
    "<x xmlns='jabber:x:oob'><url>a</url><url>b</url></x>",
    "<x xmlns='jabber:x:oob'><url xmlns='other'>a</url></x>",
    "<x xmlns='jabber:x:oob'>text<url>a</url></x>",
    "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z' from='capulet.com'/>",
    "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0' name='OTR'/>",
    "<fallback xmlns='urn:xmpp:fallback:0'><body start='1'/><body start='9'/></fallback>",
    "<reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction type='x'>a</reaction></reactions>",
    "<payload xmlns='urn:xmpp:json-msg:0' datatype='a'>1</payload>",
    "<payload xmlns='urn:xmpp:json-msg:0' datatype='a'><json xmlns='urn:xmpp:json:0'>1</json><more/></payload>",
    "<thread parent='a'>b<c/></thread>",
  ]) {
    const element = parseElement(`<message xmlns='jabber:client'>${xml}</message>`).children[0];
    if (typeof element !== "object") throw new Error(xml);
    const name = fieldOf(element);
    if (name === undefined) throw new Error(`No field for ${xml}`);
    expect([xml, elements[name].read(element)]).toEqual([xml, undefined]);
  }
});
