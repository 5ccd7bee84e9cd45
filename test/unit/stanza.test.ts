import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import type { Message } from "../../src/message.ts";
import { delayed, messageStanza } from "../../src/xmpp/stanza.ts";
import { jid } from "../support/jid.ts";

const bob = jid("bob@example.com");

/** Read by another parser than the one that the stanza's escapes come from. */
function read(stanza: string): { readonly id: string | undefined; readonly texts: ReadonlyMap<string, string> } {
  const parser = new SaxesParser({ xmlns: true });
  const texts = new Map<string, string>();
  const path: string[] = [];
  let id: string | undefined;
  parser.on("opentag", ({ local, attributes }) => {
    if (path.length === 0) id = attributes["id"]?.value;
    path.push(local);
    texts.set(path.join("/"), "");
  });
  parser.on("text", (text) => {
    const key = path.join("/");
    texts.set(key, (texts.get(key) ?? "") + text);
  });
  parser.on("closetag", () => {
    path.pop();
  });
  parser.write(`<stream xmlns="jabber:client">`);
  path.length = 0;
  id = undefined;
  parser.write(stanza);
  return { id, texts };
}

const make = (message: Partial<Message>): Message => ({ id: "m1", to: bob, type: "chat", ...message });

describe("a message stanza", () => {
  test("carries recipient, type, id, body, html and origin-id", () => {
    expect(messageStanza(make({ to: jid("bob@example.com/a'b"), body: "1 < 2", html: "<p>1 &lt; 2</p>" }))).toBe(
      '<message to="bob@example.com/a&apos;b" type="chat" id="m1"><body>1 &lt; 2</body>' +
        '<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml"><p>1 &lt; 2</p></body></html>' +
        '<origin-id xmlns="urn:xmpp:sid:0" id="m1"/></message>',
    );
  });

  test("brings any text that XML can carry to the other side unchanged", () => {
    const carriable = fc
      .string({ unit: "binary", maxLength: 200 })
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what XML 1.0 section 2.2 excludes.
      .map((text) => text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ""));
    fc.assert(
      fc.property(carriable, carriable, (body, id) => {
        const seen = read(messageStanza(make({ body, id })));
        expect(seen.texts.get("message/body")).toBe(body);
        expect(seen.id).toBe(id);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["]]>", "<![CDATA[x]]>", "a\rb", "\r\n", "&amp;", "<!-- -->", "'\"", "\u{1F600}\u{10FFFF}"])(
    "keeps %j as text",
    (body) => {
      expect(read(messageStanza(make({ body }))).texts.get("message/body")).toBe(body);
    },
  );
});

test("a message that is sent again says when it was sent first", () => {
  const stanza = messageStanza(make({ body: "hi" }));
  expect(delayed(stanza, new Date("2026-01-02T03:04:05.678Z"))).toBe(
    stanza.replace("</message>", '<delay xmlns="urn:xmpp:delay" stamp="2026-01-02T03:04:05.678Z"/></message>'),
  );
});

test("a message asks for a receipt when its caller waits for one", () => {
  expect(messageStanza(make({ body: "hi", requestReceipt: true }))).toContain('<request xmlns="urn:xmpp:receipts"/>');
  expect(messageStanza(make({ body: "hi" }))).not.toContain("request");
});
