/** application/xmpp+xml: what is read as fields, what is passed on, and what is refused. */

import { describe, expect, test } from "bun:test";
import { type Code, Failure } from "../../src/errors.ts";
import { parseStanza } from "../../src/http/rest/stanza.ts";
import { readStrictly } from "../support/strict-xml.ts";

const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
const parse = (xml: string) => parseStanza(Buffer.from(xml), decode);

describe("is read as fields", () => {
  test.each<[xml: string, fields: object]>([
    [
      "<message to='bob@example.com' from='alice@example.com' id='1' type='chat' xml:lang='en'/>",
      { to: "bob@example.com", from: "alice@example.com", id: "1", type: "chat", lang: "en" },
    ],
    ["<message xmlns='jabber:client'><body>a &lt; b</body></message>\n", { body: "a < b" }],
    ["\uFEFF<c:message xmlns:c='jabber:client'><c:body><![CDATA[a]]>b</c:body></c:message>", { body: "ab" }],
    ["<message><body xml:lang='en'>a</body><body xml:lang='de'>b</body></message>", { body: { en: "a", de: "b" } }],
    [
      "<message xml:lang='en'><body>a</body><body xml:lang='de'>b</body></message>",
      { lang: "en", body: { en: "a", de: "b" } },
    ],
    [
      "<message><subject>s</subject><thread parent='t0'>t1</thread></message>",
      { subject: "s", thread: { id: "t1", parent: "t0" } },
    ],
    [
      "<message><html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>a</p></body></html></message>",
      {
        html: '<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml"><p>a</p></body></html>',
      },
    ],
    ["<message><x xmlns='jabber:x:oob'>\n<url>http://x/</url>\n</x></message>", { oob: { url: "http://x/" } }],
    ["<message><paused xmlns='http://jabber.org/protocol/chatstates'/></message>", { state: "paused" }],
    [
      "<message><markable xmlns='urn:xmpp:chat-markers:0'/><fallback xmlns='urn:xmpp:fallback:0'/></message>",
      { markable: true, fallback: true },
    ],
    [
      "<message><fallback xmlns='urn:xmpp:fallback:0' for='urn:x'><body start='0' end='9'/><subject/></fallback></message>",
      { fallback: { for: "urn:x", body: { start: 0, end: 9 }, subject: {} } },
    ],
    [
      "<message><x xmlns='jabber:x:conference' jid='a@b.c' continue='true'/></message>",
      { invite: { jid: "a@b.c", continue: true } },
    ],
    [
      "<message><payload xmlns='urn:xmpp:json-msg:0' datatype='urn:x'><json xmlns='urn:xmpp:json:0'>{\"a\":[1]}</json></payload></message>",
      { payload: { datatype: "urn:x", data: { a: [1] } } },
    ],
    [
      "<message><reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>a</reaction></reactions><store xmlns='urn:xmpp:hints'/></message>",
      { reactions: { id: "1", reactions: ["a"] } },
    ],
    ["<message><reactions xmlns='urn:xmpp:reactions:0' id='1'/></message>", { reactions: { id: "1", reactions: [] } }],
    ["<message><origin-id xmlns='urn:xmpp:sid:0' id='7'/></message>", { id: "7" }],
    // biome-ignore format: one row a line
  ])("%s", (xml, fields) => {
    const parsed = parse(xml);
    expect(parsed.elements).toBeUndefined();
    expect({ ...parsed.fields }).toEqual(fields as typeof parsed.fields);
  });

  test("a receipt is asked for", () => {
    expect(parse("<message><request xmlns='urn:xmpp:receipts'/></message>").requestReceipt).toBe(true);
  });
});

describe("is passed on", () => {
  test.each([
    ["an element that no field has", "<x xmlns='urn:x' a='1'>t<y/></x>"],
    [
      "a field's that says more",
      "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z' from='a'>Offline Storage</delay>",
    ],
    ["prefixes", "<p:x xmlns:p='urn:p' xmlns:q='urn:q' p:a='1' q:a='2' a='3' xml:lang='en'><q:y/><p:z/></p:x>"],
    [
      "a forwarded message",
      "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' to='a'><body>b</body></message></forwarded>",
    ],
    ["an element in no namespace inside", "<x xmlns='urn:x'><y xmlns=''/></x>"],
    ["odd characters", "<x xmlns='urn:x' a='&#9;&#10;&quot;&apos;&lt;'>&#13;]]&gt;&amp;</x>"],
    ["a namespace to be escaped", "<x xmlns='urn:&quot;&amp;&lt;'/>"],
  ])("%s", (_, xml) => {
    const { elements, fields } = parse(`<message>${xml}</message>`);
    expect({ ...fields }).toEqual({});
    expect(readStrictly(`<message xmlns='jabber:client'>${elements}</message>`)).toEqual(
      readStrictly(`<message xmlns='jabber:client'>${xml}</message>`),
    );
  });

  test("the second of a kind", () => {
    const one = "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:a@b.c'/>";
    const { fields, elements } = parse(`<message>${one}${one.replace("a@b", "b@b")}</message>`);
    expect(fields.reference).toEqual({ type: "mention", uri: "xmpp:a@b.c" });
    expect(elements).toContain("xmpp:b@b.c");
  });
});

describe("is refused", () => {
  test.each<[xml: string, code: Code, says: string]>([
    ["", "bad_xml", "one <message/> is needed"],
    ["<message>", "bad_xml", "unclosed tag"],
    ["<message/><message/>", "bad_xml", "line 1"],
    ["<message/>text", "bad_xml", "line 1"],
    ["text<message/>", "bad_xml", "line 1"],
    ["\u0001<message/>", "bad_xml", "line 1"],
    ["<message><body>\u0001</body></message>", "bad_xml", "line 1"],
    ["<message><body>&#0;</body></message>", "bad_xml", "line 1"],
    ["<message><body>&nbsp;</body></message>", "bad_xml", "entity"],
    ["<message a='1' a='2'/>", "bad_xml", "duplicate"],
    ["<message xmlns:p='u' xmlns:q='u'><x xmlns='v' p:a='1' q:a='2'/></message>", "bad_xml", "duplicate"],
    ["<?xml version='1.0'?><message/>", "bad_xml", "XML declaration"],
    ["<!DOCTYPE message [<!ENTITY a 'b'>]><message><body>&a;</body></message>", "bad_xml", "document type"],
    ["<!DOCTYPE message SYSTEM 'file:///etc/passwd'><message/>", "bad_xml", "document type"],
    ["<message><?php x ?></message>", "bad_xml", "processing instruction"],
    ["<message><p:x/></message>", "bad_xml", "prefix"],
    ["<message><xml:x/></message>", "bad_xml", "reserved namespace"],
    ["<message><x xmlns:a='http://www.w3.org/2000/xmlns/'/></message>", "bad_xml", "line 1"],
    ["<message><x xmlns='http://www.w3.org/XML/1998/namespace'/></message>", "bad_xml", ""],
    [`<message>${"<x xmlns='urn:x'>".repeat(70)}${"</x>".repeat(70)}</message>`, "bad_xml", "more than 64 deep"],
    ["<message xmlns='jabber:server'/>", "bad_stanza", 'its namespace is "jabber:server"'],
    ["<message foo='1'/>", "bad_stanza", 'has no attribute "foo"'],
    ["<message xmlns:p='u' p:to='1'/>", "bad_stanza", 'has no attribute "to"'],
    ["<message>hello</message>", "bad_stanza", 'it has the text "hello" outside of its elements'],
    ["<message><foo/></message>", "bad_stanza", 'has no child "foo"'],
    ["<message><error type='cancel'/></message>", "bad_stanza", 'has no child "error"'],
    ["<message><message/></message>", "bad_stanza", 'has no child "message"'],
    ["<message><body a='1'>b</body></message>", "bad_stanza", 'has no child "body" as it stands here'],
    ["<message><body><b/></body></message>", "bad_stanza", 'has no child "body" as it stands here'],
    ["<message><body>a</body><body>b</body></message>", "bad_stanza", "several <body/>"],
    ["<message><body xml:lang='en'>a</body><body xml:lang='en'>b</body></message>", "bad_stanza", "several <body/>"],
    ["<message><body>a</body><body xml:lang='en'>b</body></message>", "bad_stanza", "several <body/>"],
    ["<message><thread>a</thread><thread>b</thread></message>", "bad_stanza", 'has no child "thread"'],
    ["<message><error xmlns='http://etherx.jabber.org/streams'/></message>", "bad_stanza", "has no place in it"],
    ["<message><r xmlns='urn:xmpp:sm:3'/></message>", "bad_stanza", "has no place in it"],
    [
      "<message id='1'><origin-id xmlns='urn:xmpp:sid:0' id='2'/></message>",
      "bad_field",
      "it is not that of <origin-id/>",
    ],
    ["<message><origin-id xmlns='urn:xmpp:sid:0'/></message>", "bad_stanza", "has no id"],
    ["<message><body xml:lang='__proto__'>a</body></message>", "bad_field", "language tag"],
    [
      "<message><nick xmlns='http://jabber.org/protocol/nick'/></message>",
      "bad_field",
      "a text that is not empty is needed",
    ],
    [
      "<message><payload xmlns='urn:xmpp:json-msg:0' datatype='a'><json xmlns='urn:xmpp:json:0'>{</json></payload></message>",
      "bad_field",
      "it is not JSON",
    ],
    ["<message><x xmlns='jabber:x:conference'/></message>", "bad_field", "it is missing"],
    ["<message><html xmlns='http://jabber.org/protocol/xhtml-im'/><html xmlns='http://jabber.org/protocol/xhtml-im'/></message>", "bad_field", "several times"],
    // biome-ignore format: one row a line
  ])("%s", (xml, code, says) => {
    let thrown: unknown;
    try {
      parse(xml);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  test("with a namespace that is long and used often, since each element would repeat it", () => {
    const many = (count: number) =>
      `<message><x xmlns='u' xmlns:p='${"n".repeat(100_000)}'>${"<p:y/>".repeat(count)}</x></message>`;
    expect(parse(many(9)).elements?.length).toBeGreaterThan(900_000);
    expect(() => parse(many(20))).toThrow(/more than 1048576 characters long/);
  });

  test("in another charset than it says", () => {
    expect(() => parseStanza(Buffer.from([0xff]), decode)).toThrow(/it is not in its charset/);
  });
});
