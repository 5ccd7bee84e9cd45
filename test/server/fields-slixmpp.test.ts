/**
 * Every field, as a payload written for mod_rest's JSON mapping, through real servers to a client of another library: what
 * it understands is what the XEPs say.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { checkFields } from "../../src/http/check-fields.ts";
import { makeMessage } from "../../src/http/fields.ts";
import { messageStanza } from "../../src/xmpp/stanza.ts";
import type { Gateway } from "../support/gateway.ts";
import { jid } from "../support/jid.ts";
import { type RealGateway, startRealGateway } from "../support/real-gateway.ts";
import { realServers, startTimeoutMs } from "../support/real-servers.ts";
import { type SlixmppClient, startSlixmpp } from "../support/slixmpp.ts";

const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };

const jsonMessage = "{urn:xmpp:json-msg:0}payload";
const json = "{urn:xmpp:json:0}json";

/** By field: what is posted beside kind, to, type, id and body, and what slixmpp then says of the message. */
const fields: Readonly<Record<string, readonly (readonly [payload: object, understood: object])[]>> = {
  kind: [[{ kind: "message" }, { body: "hi" }]],
  from: [[{ from: "alice@example.com" }, { from: "alice@example.com" }]],
  type: [
    [{ type: "normal" }, { type: "normal" }],
    [{ type: "headline" }, { type: "headline" }],
  ],
  lang: [[{ lang: "de-AT" }, { lang: "de-AT", body: "hi" }]],
  body: [
    [{ body: 'Grüße & <b>kein</b> "HTML" 👩‍👩‍👧' }, { body: 'Grüße & <b>kein</b> "HTML" 👩‍👩‍👧' }],
    [{ body: { en: "hello", de: "hallo" } }, { bodies: { en: "hello", de: "hallo" } }],
  ],
  subject: [
    [{ subject: "I implore you!" }, { subjects: { "": "I implore you!" } }],
    [{ subject: { en: "hello", cs: "Úpěnlivě prosím!" } }, { subjects: { en: "hello", cs: "Úpěnlivě prosím!" } }],
  ],
  thread: [
    [{ thread: "e0ffe42b" }, { thread: "e0ffe42b", parent_thread: "" }],
    [{ thread: { id: "e0ffe42b", parent: "7edac73a" } }, { thread: "e0ffe42b", parent_thread: "7edac73a" }],
  ],
  html: [
    [
      { html: "<body><p style='font-weight: bold'>hi!</p></body>" },
      { html: expect.stringMatching(/<p style="font-weight: bold">hi!<\/p>/) },
    ],
  ],
  nick: [[{ nick: "Ishmael" }, { nick: { nick: "Ishmael" } }]],
  oob_url: [[{ oob_url: "https://example.com/a.png" }, { oob: { url: "https://example.com/a.png", desc: "" } }]],
  oob: [
    [
      { oob: { url: "https://media.example.net/thisfile.jpg?a=1&b=2", desc: "This file" } },
      { oob: { url: "https://media.example.net/thisfile.jpg?a=1&b=2", desc: "This file" } },
    ],
  ],
  state: ["active", "composing", "paused", "inactive", "gone"].map((state) => [{ state }, { state }]),
  replace: [[{ replace: "bad1" }, { replace: { id: "bad1" } }]],
  reply: [
    [
      { reply: { id: "message-id1", to: "bob@example.com/tablet" } },
      { reply: { id: "message-id1", to: "bob@example.com/tablet" } },
    ],
  ],
  reactions: [
    [{ reactions: { id: "m1", reactions: ["👋", "🐢"] } }, { reactions: { id: "m1", values: ["🐢", "👋"].sort() } }],
  ],
  attach_to: [
    [{ attach_to: "m1" }, { children: containing(["{urn:xmpp:message-attaching:1}attach-to", { id: "m1" }, "", []]) }],
  ],
  reference: [
    [
      { reference: { type: "mention", uri: "xmpp:bob@example.com", begin: 0, end: 1 } },
      {
        children: containing([
          "{urn:xmpp:reference:0}reference",
          { type: "mention", uri: "xmpp:bob@example.com", begin: "0", end: "1" },
          "",
          [],
        ]),
      },
    ],
  ],
  markable: [[{ markable: true }, { markable: true }]],
  displayed: [[{ displayed: "m1" }, { displayed: { id: "m1" } }]],
  invite: [
    [
      { invite: { jid: "room@rooms.example.com", password: "cauldronburn", reason: "Hey Hecate!", continue: true } },
      {
        invite: { jid: "room@rooms.example.com", password: "cauldronburn", reason: "Hey Hecate!" },
        children: containing([
          "{jabber:x:conference}x",
          { jid: "room@rooms.example.com", password: "cauldronburn", reason: "Hey Hecate!", continue: "true" },
          "",
          [],
        ]),
      },
    ],
  ],
  payload: [
    [
      { payload: { datatype: "urn:example:foo", data: { "annoying-teenager-level": 11, list: [true, null, "<&"] } } },
      {
        children: containing([
          jsonMessage,
          { datatype: "urn:example:foo" },
          "",
          [[json, {}, '{"annoying-teenager-level":11,"list":[true,null,"<&"]}', []]],
        ]),
      },
    ],
  ],
  delay: [[{ delay: "2002-09-10T23:08:25Z" }, { delay: { stamp: "2002-09-10T23:08:25+00:00" } }]],
  fallback: [
    [{ fallback: true }, { fallback: true }],
    [
      { fallback: { for: "urn:xmpp:reply:0", body: { start: 0, end: 2 } } },
      {
        children: containing([
          "{urn:xmpp:fallback:0}fallback",
          { for: "urn:xmpp:reply:0" },
          "",
          [["{urn:xmpp:fallback:0}body", { start: "0", end: "2" }, "", []]],
        ]),
      },
    ],
  ],
  encryption: [[{ encryption: "urn:xmpp:otr:0" }, { encryption: { namespace: "urn:xmpp:otr:0" } }]],
};

function containing(element: unknown) {
  return expect.arrayContaining([element]);
}

const rows = Object.entries(fields).flatMap(([name, each]) =>
  each.map(([payload, understood], index) => [`${name}-${index}`, payload, understood] as const),
);

describe.each(realServers)("through %s to slixmpp", (_, startServer) => {
  let started: RealGateway<SlixmppClient>;
  let gateway: Gateway;
  let bob: SlixmppClient;
  beforeAll(async () => {
    started = await startRealGateway(() => startServer({ accounts }), startSlixmpp);
    ({ gateway, client: bob } = started);
  }, startTimeoutMs);
  afterAll(() => started?.stop(), startTimeoutMs);

  const headers = { "Content-Type": "application/json" };
  const document = (id: string, payload: object) => ({
    ...{ kind: "message", to: "bob@example.com", type: "chat", id, body: "hi" },
    ...payload,
  });

  test.each(rows)("%s arrives as its XEP says", async (id, payload, understood) => {
    const response = await gateway.post("/msg", JSON.stringify(document(id, payload)), { headers });
    expect([response.status, await response.json()]).toMatchObject([201, { id, to: "bob@example.com" }]);
    expect(await bob.message(id)).toMatchObject({ id, from: "alice@example.com", ...understood });
  });

  test.each(rows)("%s arrives in the same way by mod_rest's path", async (name, payload, understood) => {
    const id = `rest-${name}`;
    const response = await gateway.post("/rest", JSON.stringify(document(id, payload)), {
      headers,
      user: "alice:secret",
    });
    expect([response.status, await response.text()]).toEqual([202, ""]);
    expect(await bob.message(id)).toMatchObject({ ...understood, id, origin_id: { id } });
  });

  test.each(rows)("%s arrives in the same way as a stanza", async (name, payload, understood) => {
    const id = `xml-${name}`;
    const stanza = messageStanza(makeMessage(checkFields(document(id, payload)), jid("bob@example.com"), "refuse"));
    const response = await gateway.post("/rest", stanza, { headers: { "Content-Type": "application/xmpp+xml" } });
    expect([response.status, await response.text()]).toEqual([202, ""]);
    expect(await bob.message(id)).toMatchObject({ ...understood, id, origin_id: { id } });
  });

  test("a refusal is known by the caller's id, whatever is in it", async () => {
    for (const id of ["1", `'"<&>]]> ä 🎉`, "x".repeat(255), "\u2028\ufeff\u00a0"]) {
      const body = JSON.stringify({ to: "nobody@example.com", id, body: "hi" });
      const response = await gateway.post("/msg", body, { headers });
      expect([id, response.status, await response.json()]).toMatchObject([id, 404, { outcome: "not_sent" }]);
    }
  });

  test("an element that no field has arrives in a stanza as it was sent", async () => {
    const stanza = `<message to='bob@example.com' type='chat' id='foreign' xml:lang='de'>
        <body>hi</body>
        <p:x xmlns:p='urn:example:p' xmlns:q='urn:example:q' a='1' q:b='&lt;&quot;'>text<p:y/><z xmlns='urn:example:z'/></p:x>
      </message>`;
    const response = await gateway.post("/rest", stanza, { headers: { "Content-Type": "application/xmpp+xml" } });
    expect(response.status).toBe(202);
    expect(await bob.message("foreign")).toMatchObject({
      lang: "de",
      body: "hi",
      children: containing([
        "{urn:example:p}x",
        { a: "1", "{urn:example:q}b": '<"' },
        "text",
        [
          ["{urn:example:p}y", {}, "", []],
          ["{urn:example:z}z", {}, "", []],
        ],
      ]),
    });
  });
});
