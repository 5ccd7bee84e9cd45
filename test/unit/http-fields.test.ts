/** Every field in each of the formats that have fields, and what is wrong with those that cannot be used. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Code } from "../../src/errors.ts";
import type { Message } from "../../src/message.ts";
import { type Gateway, startGateway } from "../support/http-gateway.ts";

const json = { "Content-Type": "application/json" };
const form = { "Content-Type": "application/x-www-form-urlencoded" };

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** As JSON, as the pairs of a form that say the same, and what it makes of a message with the text "hi". */
type Row = readonly [fields: object, pairs: readonly (readonly [string, string])[], message: Partial<Message>];

const rows: readonly Row[] = [
  [{ kind: "message" }, [["kind", "message"]], {}],
  [{ from: "Alice@example.com/here" }, [["from", "Alice@example.com/here"]], {}],
  [{ id: "a <b> 1" }, [["id", "a <b> 1"]], { id: "a <b> 1" }],
  [{ lang: "de-AT" }, [["lang", "de-AT"]], { lang: "de-AT" }],
  [{ body: { en: "hello", de: "hallo" } }, [["body.en", "hello"], ["body.de", "hallo"]], { body: { en: "hello", de: "hallo" } }], // biome-ignore format: one row a line
  [{ subject: "s" }, [["subject", "s"]], { extensions: { subject: "s" } }],
  [{ subject: "" }, [["subject", ""]], { extensions: { subject: "" } }],
  [{ subject: { en: "a", "de-AT": "b" } }, [["subject.en", "a"], ["subject.de-AT", "b"]], { extensions: { subject: { en: "a", "de-AT": "b" } } }], // biome-ignore format: one row a line
  [{ thread: "t1" }, [["thread", "t1"]], { extensions: { thread: { id: "t1" } } }],
  [{ thread: { id: "t1", parent: "t0" } }, [["thread.id", "t1"], ["thread.parent", "t0"]], { extensions: { thread: { id: "t1", parent: "t0" } } }], // biome-ignore format: one row a line
  [{ nick: "Ishmael" }, [["nick", "Ishmael"]], { extensions: { nick: "Ishmael" } }],
  [{ oob_url: "https://example.com/a.png" }, [["oob_url", "https://example.com/a.png"]], { extensions: { oob: { url: "https://example.com/a.png" } } }], // biome-ignore format: one row a line
  [{ oob: { url: "geo:1,2", desc: "here" } }, [["oob.url", "geo:1,2"], ["oob.desc", "here"]], { extensions: { oob: { url: "geo:1,2", desc: "here" } } }], // biome-ignore format: one row a line
  [{ state: "composing" }, [["state", "composing"]], { extensions: { state: "composing" } }],
  [{ replace: "m0" }, [["replace", "m0"]], { extensions: { replace: "m0" } }],
  [{ reply: { id: "m0", to: "Bob@example.com/x" } }, [["reply.id", "m0"], ["reply.to", "Bob@example.com/x"]], { extensions: { reply: { id: "m0", to: "bob@example.com/x" } } }], // biome-ignore format: one row a line
  [{ reactions: { id: "m0", reactions: ["👋", "🐢"] } }, [["reactions.id", "m0"], ["reactions.reactions", "👋"], ["reactions.reactions", "🐢"]], { extensions: { reactions: { id: "m0", reactions: ["👋", "🐢"] } } }], // biome-ignore format: one row a line
  [{ attach_to: "m0" }, [["attach_to", "m0"]], { extensions: { attach_to: "m0" } }],
  [{ reference: { type: "mention", uri: "xmpp:bob@example.com", begin: 0, end: 2 } }, [["reference.type", "mention"], ["reference.uri", "xmpp:bob@example.com"], ["reference.begin", "0"], ["reference.end", "2"]], { extensions: { reference: { type: "mention", uri: "xmpp:bob@example.com", begin: 0, end: 2 } } }], // biome-ignore format: one row a line
  [{ markable: true }, [["markable", "on"]], { extensions: { markable: true } }],
  [{ markable: false }, [["markable", "false"]], {}],
  [{ displayed: "m0" }, [["displayed", "m0"]], { extensions: { displayed: "m0" } }],
  [{ invite: { jid: "Room@rooms.example.com", password: "p", reason: "r", continue: true, thread: "t" } }, [["invite.jid", "Room@rooms.example.com"], ["invite.password", "p"], ["invite.reason", "r"], ["invite.continue", "1"], ["invite.thread", "t"]], { extensions: { invite: { jid: "room@rooms.example.com", password: "p", reason: "r", continue: true, thread: "t" } } }], // biome-ignore format: one row a line
  [{ payload: { datatype: "urn:x", data: { a: [1, null, "\u0000\ufffe\ud800"] } } }, [["payload.datatype", "urn:x"], ["payload.data", '{"a":[1,null,"\\u0000\\ufffe\\ud800"]}']], { extensions: { payload: { datatype: "urn:x", json: '{"a":[1,null,"\\u0000\\ufffe\\ud800"]}' } } }], // biome-ignore format: one row a line
  [{ delay: "2002-09-10T23:08:25.5+02:00" }, [["delay", "2002-09-10T23:08:25.5+02:00"]], { extensions: { delay: "2002-09-10T23:08:25.5+02:00" } }], // biome-ignore format: one row a line
  [{ fallback: true }, [["fallback", "true"]], { extensions: { fallback: true } }],
  [{ fallback: { for: "urn:x", body: { start: 0, end: 5 } } }, [["fallback.for", "urn:x"], ["fallback.body.start", "0"], ["fallback.body.end", "5"]], { extensions: { fallback: { for: "urn:x", body: { start: 0, end: 5 } } } }], // biome-ignore format: one row a line
  [{ encryption: "urn:xmpp:omemo:2" }, [["encryption", "urn:xmpp:omemo:2"]], { extensions: { encryption: "urn:xmpp:omemo:2" } }], // biome-ignore format: one row a line
];

describe("a message with %j", () => {
  test.each(rows)("is made of JSON: %j", async (fields, _, message) => {
    expect(await made("/msg/bob", JSON.stringify({ body: "hi", ...fields }), json)).toEqual(full(message));
  });

  test.each(rows)("is made of a form: %j", async (_fields, pairs, message) => {
    const body = new URLSearchParams([...withBody(pairs), ["type", "chat"]]);
    expect(await made("/msg/bob", String(body), form)).toEqual(full({ ...message, untyped: false }));
  });

  test.each(rows)("is made of a multipart form: %j", async (_fields, pairs, message) => {
    const body = new FormData();
    for (const [name, value] of withBody(pairs)) body.append(name, value);
    expect(await made("/msg/bob", body)).toEqual(full(message));
  });
});

function withBody(pairs: readonly (readonly [string, string])[]): [string, string][] {
  const all = pairs.map(([name, value]): [string, string] => [name, value]);
  return all.some(([name]) => name.startsWith("body")) ? all : [["body", "hi"], ...all];
}

async function made(path: string, body: string | FormData, headers = {}) {
  return gateway.sent(path, body, headers);
}

function full(message: Partial<Message>) {
  const rest = { requestReceipt: false, untyped: true };
  const usual = { id: expect.any(String), to: expect.anything(), type: "chat", ...rest } as const;
  return { ...usual, body: "hi", ...message };
}

describe("a message without a text", () => {
  test.each([
    [{ state: "composing" }],
    [{ subject: "Topic" }],
    [{ displayed: "m1" }],
    [{ reactions: { id: "m1", reactions: [] } }],
    [{ payload: { datatype: "urn:x", data: 1 } }],
    [{ invite: { jid: "room@rooms.example.com" } }],
  ])("may be %j", async (fields) => {
    const { body } = await gateway.sent("/msg/bob", JSON.stringify(fields), json);
    expect(body).toBeUndefined();
  });

  test("has the URL for one, so that clients show it", async () => {
    const url = "https://example.com/graph.png";
    expect((await gateway.sent("/msg/bob", JSON.stringify({ oob: { url } }), json)).body).toBe(url);
    expect((await gateway.sent("/msg/bob", JSON.stringify({ oob_url: url }), json)).body).toBe(url);
    expect((await gateway.sent("/msg/bob", JSON.stringify({ oob: { url }, body: "b" }), json)).body).toBe("b");
  });

  test.each([
    "{}",
    '{"lang":"en"}',
    '{"markable":false}',
    '{"fallback":false}',
    '{"body":{"en":""}}',
    '{"kind":"message","id":"1"}',
  ])("says nothing: %s", async (body) => {
    expect(await refusal(body)).toMatchObject({ code: "empty_message" });
  });
});

test("an input of a web page's form that was left empty is as if it were not there", async () => {
  const body = "to=bob&body=hi&id=&nick=&oob.url=&oob_url=&markable=&state=&invite.jid=&payload.data=&reference.begin=";
  expect(await gateway.sent("/msg/", body, form)).toEqual(full({}));
});

async function refusal(body: string, headers: Readonly<Record<string, string>> = json): Promise<unknown> {
  const response = await gateway.post("/msg/bob", body, headers);
  return { status: response.status, ...Object(await response.json()) };
}

describe("what cannot be used is a 422 that points at it", () => {
  test.each<[body: string, pointer: string, says: string, code?: Code]>([
    ['{"oob":{"url":1}}', "/oob/url", "a text that is not empty is needed, not the number 1"],
    ['{"oob":{"url":""}}', "/oob/url", "a text that is not empty is needed, not an empty one"],
    ['{"oob":{"url":"graph.png"}}', "/oob/url", '"graph.png" is not a whole URI such as https://example.com/graph.png'],
    ['{"oob":{"url":"https:// x"}}', "/oob/url", "is not a whole URI"],
    ['{"oob":{}}', "/oob/url", "it is missing; a text that is not empty is needed"],
    ['{"to":[],"body":"a"}', "/to", "a list that is not empty is needed, not an empty one"],
    ['{"oob":[]}', "/oob", "an object with the members url, desc is needed, not a list"],
    ['{"oob":{"url":"a:b","uri":1}}', "/oob/uri", 'did you mean "url"?', "unknown_field"],
    ['{"oob":{"url":"a:b","toString":1}}', "/oob/toString", "the fields are url, desc.", "unknown_field"],
    ['{"oob_url":"a:b","oob":{"url":"a:c"}}', "/oob_url", "it is not the same as oob.url"],
    ['{"body":{"en":1}}', "/body/en", "a text is needed, not the number 1"],
    ['{"body":{}}', "/body", "an object with a text for each language is needed, not an object"],
    ['{"body":{"english_uk":"a"}}', "/body/english_uk", "its name has to be a language tag"],
    ['{"body":{"__proto__":"a"}}', "/body/__proto__", "its name has to be a language tag"],
    ['{"body":{"en":"a","EN":"b"}}', "/body/EN", "its language is there already"],
    ['{"body":[]}', "/body", "a text or an object with a text for each language is needed, not a list"],
    ['{"lang":"x_y","body":"a"}', "/lang", 'a language tag such as en or de-AT is needed, not "x_y"'],
    ['{"id":"","body":"a"}', "/id", "a text of 1 to 255 characters is needed, not an empty one"],
    [`{"id":"${"x".repeat(256)}","body":"a"}`, "/id", "a text of 1 to 255 characters is needed"],
    ['{"id":"a\\nb","body":"a"}', "/id", "it holds a control character"],
    ['{"thread":{"parent":"a"}}', "/thread/id", "it is missing"],
    ['{"thread":7}', "/thread", "a text that is not empty or an object with the members id, parent is needed, not the"],
    ['{"state":"typing"}', "/state", 'one of active, inactive, gone, composing, paused is needed, not "typing"'],
    ['{"reply":{"to":"a@b"}}', "/reply/id", "it is missing"],
    ['{"reply":{"id":"1","to":"@"}}', "/reply/to", '"@" is not an XMPP address'],
    ['{"reactions":{"id":"1","reactions":"👋"}}', "/reactions/reactions", 'a list is needed, not "👋"'],
    ['{"reactions":{"id":"1","reactions":["a","a"]}}', "/reactions/reactions", "it holds the same one twice"],
    ['{"reactions":{"id":"1","reactions":["a",null]}}', "/reactions/reactions/1", "is needed, not null"],
    ['{"markable":"yes"}', "/markable", 'true or false is needed, not "yes"'],
    ['{"invite":{"jid":"a@b@c"}}', "/invite/jid", "is not an XMPP address"],
    ['{"invite":{"jid":"a@b.c","continue":1}}', "/invite/continue", "true or false is needed, not the number 1"],
    ['{"payload":{"datatype":"x"}}', "/payload/data", "it is missing; a value is needed"],
    ['{"payload":{"datatype":"x","data":1e400}}', "/payload/data", "it holds a number beyond 2^53"],
    ['{"payload":{"datatype":"x","data":[12345678901234567890]}}', "/payload/data", "it holds a number beyond 2^53"],
    ['{"delay":"yesterday"}', "/delay", '"yesterday" is not a time such as 2002-09-10T23:08:25Z'],
    ['{"delay":"2002-13-10T23:08:25Z"}', "/delay", "is not a time"],
    ['{"delay":"2002-09-10"}', "/delay", "is not a time"],
    [
      '{"fallback":{"body":{"start":-1}}}',
      "/fallback/body/start",
      "a whole number from 0 to 4294967295 is needed, not the number -1",
    ],
    ['{"fallback":"yes"}', "/fallback", "true or false or an object with the members for, body, subject is needed"],
    ['{"reference":{"type":"mention","uri":"a:b","begin":2,"end":1}}', "/reference/end", "it is before its begin"],
    ['{"reference":{"type":"mention","uri":"a:b","begin":1e99}}', "/reference/begin", "a whole number"],
    ['{"nick":"a\\u0000"}', "/nick", "has the character U+0000 at position 2", "forbidden_character"],
    ['{"invite":{"jid":"a@b.c","reason":"\\ud800"}}', "/invite/reason", "U+D800", "forbidden_character"],
    ['{"reactions":{"id":"1","reactions":["a","\\uffff"]}}', "/reactions/reactions/1", "U+FFFF", "forbidden_character"],
    ['{"body":{"en":"a","de":"\\u0001"}}', "/body/de", "U+0001", "forbidden_character"],
    ['{"subject":{"de":"\\u0001"}}', "/subject/de", "U+0001", "forbidden_character"],
    ['{"payload":{"datatype":"\\u0001","data":1}}', "/payload/datatype", "U+0001", "forbidden_character"],
    [
      '{"kind":"iq","body":"a"}',
      "/kind",
      "this gateway sends messages, and neither presence nor iq",
      "kind_not_offered",
    ],
    ['{"__proto__":{"body":"a"}}', "/__proto__", 'There is no field "__proto__"', "unknown_field"],
    ['{"a/b~c":1}', "/a~1b~0c", 'There is no field "a/b~c"', "unknown_field"],
    // biome-ignore format: one row a line
  ])("%s", async (body, pointer, says, code = "bad_field") => {
    expect(await refusal(body)).toMatchObject({ status: 422, code, pointer, detail: expect.stringContaining(says) });
  });

  test.each<[body: string, pointer: string | undefined, says: string, code?: Code]>([
    ["body=a&oob.uri=b", "/oob/uri", 'There is no field "/oob/uri"; did you mean "url"?', "unknown_field"],
    ["body=a&oob.url.x=b", "/oob/url", "a text that is not empty is needed, not an object"],
    ["body=a&nick.x=b", "/nick", "a text that is not empty is needed, not an object"],
    ["body=a&nick=b&nick.x=b", undefined, 'The field "nick.x" came twice'],
    ["body=a&nick.x=b&nick=b", undefined, 'The field "nick" came twice'],
    ["body=a&nick=b&nick=b", "/nick", 'The field "nick" came twice'],
    ["body=a&__proto__.x=b", "/__proto__", 'There is no field "__proto__"', "unknown_field"],
    ["body=a&oob.__proto__=b", "/oob/__proto__", 'There is no field "/oob/__proto__"', "unknown_field"],
    ["body=a&oob.=b", "/oob/", 'There is no field "/oob/"', "unknown_field"],
    ["body=a&.=b", "/", 'There is no field ""', "unknown_field"],
    ["body=a&body.en=b", undefined, 'The field "body.en" came twice'],
    ["body.en=a&body=b", undefined, 'The field "body" came twice'],
    ["body.en=a&to=bob&body.en=b", "/body/en", 'The field "body.en" came twice'],
    ["body.e_n=a&to=bob", "/body/e_n", "its name has to be a language tag"],
    ["body=a&markable=maybe", "/markable", 'true or false is needed, not "maybe"'],
    ["body=a&markable=constructor", "/markable", "true or false is needed"],
    [
      "body=a&reference.type=a&reference.uri=a:b&reference.begin=1.5",
      "/reference/begin",
      'a whole number from 0 to 4294967295 is needed, not "1.5"',
    ],
    ["body=a&oob.desc=b", "/oob/url", "it is missing"],
    ["body=a&payload.datatype=b&payload.data=c", "/payload/data", "it is not JSON"],
    [
      "body=a&reactions.id=1&reactions.reactions=a&reactions.reactions=a",
      "/reactions/reactions",
      "it holds the same one twice",
    ],
    [`body=a&${"x.".repeat(100)}=b`, "/x", 'There is no field "x"', "unknown_field"],
    [`body=a&oob.${"x.".repeat(100)}=b`, "/oob/x", 'There is no field "/oob/x"', "unknown_field"],
    [`body=a&${"x".repeat(300)}=b`, undefined, "There is no field", "unknown_field"],
  ])("in a form: %s", async (body, pointer, says, code = "bad_field") => {
    const refused = await refusal(body, form);
    expect(refused).toMatchObject({ status: 422, code, detail: expect.stringContaining(says) });
    expect(Object(refused).pointer).toBe(pointer);
  });

  test("data may be nested 64 deep, and no deeper", async () => {
    const nested = (depth: number) => `{"payload":{"datatype":"x","data":${"[".repeat(depth)}${"]".repeat(depth)}}}`;
    expect((await gateway.post("/msg/bob", nested(64), json)).status).toBe(201);
    const says = expect.stringContaining("it is nested more than 64 deep");
    for (const depth of [65, 1_000, 30_000]) {
      expect(await refusal(nested(depth))).toMatchObject({ status: 422, pointer: "/payload/data", detail: says });
    }
  });
});

test("what cannot be carried is replaced where the settings say so, at any depth", async () => {
  await using lenient = await startGateway({ forbiddenCharacters: "replace" });
  const body = JSON.stringify({
    body: { en: "a\u0000" },
    invite: { jid: "room@rooms.example.com", reason: "\ud800b" },
    reactions: { id: "\ufffe", reactions: ["c\u0001"] },
  });
  expect(await lenient.sent("/msg/bob", body, json)).toMatchObject({
    body: { en: "a\ufffd" },
    extensions: {
      invite: { reason: "\ufffdb" },
      reactions: { id: "\ufffd", reactions: ["c\ufffd"] },
    },
  });
});
