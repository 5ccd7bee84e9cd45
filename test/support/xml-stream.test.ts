import { describe, expect, test } from "bun:test";
import { childOf, escapeXml, textOf } from "./xml-element.ts";
import { makeXmlStream, type XmlStreamEvent } from "./xml-stream.ts";

const header =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
const body = "zwölf € 😀 &amp; <![CDATA[<b>]]>";
const message = `<message to='b@example.com'><body>${body}</body><x xmlns='urn:x'><y/></x></message>`;
const encode = (text: string) => new TextEncoder().encode(text);

function read(...pieces: Uint8Array[]): XmlStreamEvent[] {
  const events: XmlStreamEvent[] = [];
  const stream = makeXmlStream((event) => events.push(event));
  for (const piece of pieces) stream.push(piece);
  return events;
}

function summarise(events: XmlStreamEvent[]): string[] {
  return events.map((event) => (event.kind === "stanza" ? event.element.raw : event.kind));
}

describe("the stream reader", () => {
  const whole = encode(`${header}\n ${message} <a/><iq id='1'/>\n</stream:stream>`);
  const expected = ["header", message, "<a/>", "<iq id='1'/>", "end"];

  test("gives each stanza with its exact text", () => {
    expect(summarise(read(whole))).toEqual(expected);
  });

  test("gives the same when every byte comes alone", () => {
    expect(summarise(read(...Array.from(whole, (byte) => Uint8Array.of(byte))))).toEqual(expected);
  });

  test("decodes text, and keeps the raw text and namespace of nested elements", () => {
    const [, event] = read(whole);
    if (event?.kind !== "stanza") throw new Error("no stanza");
    expect(event.element.namespace).toBe("jabber:client");
    expect(textOf(childOf(event.element, "body", "jabber:client"))).toBe("zwölf € 😀 & <b>");
    expect(childOf(event.element, "x", "urn:x")?.raw).toBe("<x xmlns='urn:x'><y/></x>");
    expect(childOf(event.element, "x", "urn:y")).toBeUndefined();
  });

  test("reads back what was escaped", () => {
    const text = `<&>"' ]]>`;
    const [, event] = read(encode(`${header}<a b="${escapeXml(text)}">${escapeXml(text)}</a>`));
    if (event?.kind !== "stanza") throw new Error("no stanza");
    expect([event.element.attributes["b"], textOf(event.element)]).toEqual([text, text]);
  });

  const malformed: [string, Uint8Array][] = [
    ["a tag that does not fit", encode(`${header}<a></b>`)],
    ["a character that XML 1.0 forbids", encode(`${header}<a>\u0001</a>`)],
    ["an undefined entity", encode(`${header}<a>&nbsp;</a>`)],
    ["an undeclared prefix", encode(`${header}<x:a/>`)],
    ["bytes that are not UTF-8", Uint8Array.of(...encode(header), 0xc3, 0x28)],
    ["text between stanzas", encode(`${header}junk<a/>`)],
    ["a comment", encode(`${header}<!-- hello --><a/>`)],
    ["a DOCTYPE", encode("<!DOCTYPE a><a>")],
  ];
  test.each(malformed)("reports %s as malformed, once", (_name, bytes) => {
    const events = summarise(read(bytes, encode("<a/><b/>")));
    expect(events.filter((kind) => kind === "malformed")).toEqual(["malformed"]);
    expect(events.at(-1)).toBe("malformed");
  });
});
