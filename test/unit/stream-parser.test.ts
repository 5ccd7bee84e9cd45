import { describe, expect, test } from "bun:test";
import type { Element } from "@xmpp/xml";
import { StreamParser } from "../../src/xmpp/parser.ts";

const header =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

function opened() {
  const parser = new StreamParser();
  const elements: Element[] = [];
  let ended = false;
  parser.on("element", (element: Element) => elements.push(element));
  parser.on("end", () => {
    ended = true;
  });
  parser.write(header);
  return { parser, elements, ended: () => ended };
}

describe("the stream parser", () => {
  test("hands out each child of the root with its namespace", () => {
    const { parser, elements } = opened();
    parser.write(
      "<message from='a@b'><body>hi &amp; <![CDATA[<you>]]></body></message><a xmlns='urn:xmpp:sm:3' h='1'/>",
    );
    expect(elements.map((element) => element.getNS())).toEqual(["jabber:client", "urn:xmpp:sm:3"]);
    expect(elements[0]?.getChildText("body")).toBe("hi & <you>");
  });

  test("reads the same whatever the pieces are", () => {
    const stanza = "<message><body>a &lt; b</body></message>";
    const { parser, elements } = opened();
    for (const character of stanza) parser.write(character);
    expect(elements[0]?.toString()).toBe(stanza);
  });

  test("reads the same whatever the pieces are, also where white space stands behind a > that ends no tag", () => {
    const stanza = `<message id='a>  b' from='>\n'><body>>  \n&gt; </body></message>`;
    const whole = opened();
    whole.parser.write(stanza);
    for (let size = 1; size < 12; size++) {
      const { parser, elements } = opened();
      for (let at = 0; at < stanza.length; at += size) parser.write(stanza.slice(at, at + size));
      expect(elements.map(String)).toEqual(whole.elements.map(String));
    }
    expect(whole.elements[0]?.attrs["id"]).toBe("a>  b");
  });

  test("measures stanzas, and not the pieces in which many of them come at a time", () => {
    const { parser, elements } = opened();
    const stanza = `<message><body>${"x".repeat(10_000)}</body></message>`;
    parser.write(stanza.slice(0, 100));
    parser.write(stanza.slice(100) + stanza.repeat(99));
    expect(elements.length).toBe(100);
  });

  test("takes line ends between stanzas for white space, too", () => {
    const { parser, elements } = opened();
    parser.write("<message/>\r\n");
    for (let i = 0; i < 1000; i++) parser.write("\r\n \t".repeat(1024));
    parser.write("<iq/>");
    expect(elements.map(String)).toEqual(["<message/>", "<iq/>"]);
  });

  test("reports the end of the stream", () => {
    const { parser, ended } = opened();
    parser.write("</stream:stream>");
    expect(ended()).toBe(true);
  });

  test("does not collect what it has handed out, nor white space between stanzas", () => {
    const { parser, elements } = opened();
    for (let i = 0; i < 100; i++) parser.write(`<message id='${i}'/>`);
    for (let i = 0; i < 10_000; i++) parser.write(" ".repeat(1024));
    expect(elements.length).toBe(100);
    expect(elements[0]?.parent?.children).toEqual([]);
    parser.write("<message id='last'/>");
    expect(elements.at(-1)?.attrs["id"]).toBe("last");
  });

  test.each([
    ["a comment", "<!-- hi -->"],
    ["a processing instruction", "<?php echo 1 ?>"],
    ["an entity that nobody defined", "<message>&nbsp;</message>"],
    ["a character reference that XML forbids", "<message>&#0;</message>"],
    ["a character that XML forbids", "<message>\u0001</message>"],
    ["tags that do not match", "<message></iq>"],
    ["a prefix that nobody declared", "<x:message/>"],
    ["an attribute twice", "<message id='1' id='2'/>"],
    ["elements nested too deep", "<a>".repeat(70)],
    ["a stanza that is too large", `<message><body>${"x".repeat(512 * 1024)}</body></message>`],
    ["text that never ends", `<message><body>${"x".repeat(600 * 1024)}`],
    ["data after the end of the stream", "</stream:stream><message/>"],
  ])("ends the stream at %s", (_, text) => {
    const { parser } = opened();
    expect(() => parser.write(text)).toThrow(expect.objectContaining({ code: "protocol_error" }));
  });

  test("ends the stream at a document type declaration before the header", () => {
    const parser = new StreamParser();
    const bomb = "<!DOCTYPE a [<!ENTITY x 'y'>]>";
    expect(() => parser.write(`<?xml version='1.0'?>${bomb}${header}`)).toThrow(
      expect.objectContaining({ code: "protocol_error" }),
    );
  });
});
