/** Bytes that no good server sends: each ends the one connection with a logged reason, or is ignored. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Duplex } from "node:stream";
import type { Code } from "../../src/errors.ts";
import { XmppStream } from "../../src/xmpp/stream.ts";
import { type HostilePair, startHostilePair } from "../support/hostile-pair.ts";
import type { PeerConnection } from "../support/peer/connection.ts";

type Bytes = string | Uint8Array;

const management = "xmlns='urn:xmpp:sm:3'";
const longName = `${"x".repeat(3_990)}@example.com`;
const deep = (depth: number) => `<message>${"<x>".repeat(depth - 2)}${"</x>".repeat(depth - 2)}</message>`;
const large = (bytes: number) => `<message><body>${"x".repeat(bytes)}</body></message>`;
const bounce = (attributes: string) =>
  `<message ${attributes} type='error'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;
const receipt = (attributes: string) => `<message ${attributes}><received xmlns='urn:xmpp:receipts' id='1'/></message>`;

const deadly: readonly (readonly [why: string, code: Code, reason: RegExp, bytes: Bytes])[] = [
  ["an undefined entity", "protocol_error", /not well-formed/, "<message><body>&nbsp;</body></message>"],
  ["a reference to U+0000", "protocol_error", /not well-formed/, "<message><body>&#0;</body></message>"],
  ["a character that XML forbids", "protocol_error", /not well-formed/, "<message><body>\u0001</body></message>"],
  ["a document type declaration", "protocol_error", /not well-formed|document type/, "<!DOCTYPE lolz>"],
  ["a declared entity", "protocol_error", /not well-formed|document type/, "<!DOCTYPE a [<!ENTITY b 'c'>]>"],
  ["a processing instruction", "protocol_error", /processing instruction/, "<?php echo 1 ?>"],
  ["a second XML declaration", "protocol_error", /not well-formed|processing/, "<?xml version='1.0'?>"],
  ["a comment", "protocol_error", /comment/, "<message><!-- hi --></message>"],
  ["tags that do not match", "protocol_error", /not well-formed/, "<message></iq>"],
  ["an undeclared prefix", "protocol_error", /not well-formed/, "<x:message/>"],
  ["an attribute twice", "protocol_error", /not well-formed/, "<message id='1' id='2'/>"],
  ["a stanza over 512 KiB", "protocol_error", /more than 524288 bytes/, large(512 * 1024)],
  ["an attribute without end", "protocol_error", /more than 524288 bytes/, `<message id='${"x".repeat(600_000)}`],
  ["a tag name without end", "protocol_error", /more than 524288 bytes/, `<${"x".repeat(600_000)}`],
  ["a depth over 64", "protocol_error", /deeper than 64/, deep(65)],
  ["a header without end", "protocol_error", /more than 524288 bytes|deeper/, "<stream:stream>".repeat(40_000)],
  ["a byte that UTF-8 never has", "protocol_error", /not UTF-8/, Uint8Array.of(0xff)],
  ["an overlong form", "protocol_error", /not UTF-8/, Uint8Array.of(0xc0, 0xaf)],
  ["a surrogate", "protocol_error", /not UTF-8/, Uint8Array.of(0xed, 0xa0, 0x80)],
  ["a code point over U+10FFFF", "protocol_error", /not UTF-8/, Uint8Array.of(0xf4, 0x90, 0x80, 0x80)],
  ["UTF-16", "protocol_error", /not UTF-8|not well-formed/, Buffer.from("<message/>", "utf16le")],
  ["the end of the stream", "stream_closed", /ended/, "</stream:stream>"],
  ["data after the end of the stream", "stream_closed", /ended/, "</stream:stream><message/>&nbsp;"],
  ["a stream error without a condition", "stream_closed", /a reason that the gateway does not/, "<stream:error/>"],
  ["a stream error of one's own", "stream_closed", /a reason/, "<stream:error><x xmlns='y'/></stream:error>"],
  ["another host", "redirect", /points to another/, streamError("see-other-host", "evil.example:5222")],
  ["an acknowledgement without h", "protocol_error", /without a count/, `<a ${management}/>`],
  ["an h that is no number", "protocol_error", /without a count/, `<a ${management} h='two'/>`],
  ["an h below 0", "protocol_error", /without a count/, `<a ${management} h='-1'/>`],
  ["an h of 2^32", "protocol_error", /without a count/, `<a ${management} h='4294967296'/>`],
  ["an h that is too high", "protocol_error", /acknowledged 2 stanzas, where 1 to 1/, `<a ${management} h='2'/>`],
  ["an h that goes back", "protocol_error", /acknowledged 0 stanzas, where 1 to 1/, `<a ${management} h='0'/>`],
  ["the highest h", "protocol_error", /acknowledged 4294967295/, `<a ${management} h='4294967295'/>`],
];

const harmless: readonly (readonly [why: string, bytes: Bytes | ((connection: PeerConnection) => Bytes)])[] = [
  ["white space, 8 MiB of it", " \t\r\n".repeat(2 * 1024 * 1024)],
  ["text between stanzas", "hello"],
  ["a stanza of just under 512 KiB", large(500_000)],
  ["a depth of 64", deep(64)],
  ["predefined entities and CDATA", "<message><body>&lt;&#x1F600;<![CDATA[<&]]></body></message>"],
  ["a nonza that nobody knows", "<nonza xmlns='urn:example'/>"],
  [
    "an acknowledgement that nobody asked for",
    ({ session }) => `<a ${management} h='${session?.handled}'/>`.repeat(2_000),
  ],
  ["a word of another time", `<enabled ${management} id='x'/><resumed ${management} h='9'/><failed ${management}/>`],
  ["a word of SASL", "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"],
  ["features again", "<stream:features/>"],
  ["results that nobody asked for", "<iq type='result' id='echo-1'/><iq type='error' id='who'/><iq type='result'/>"],
  ["results from elsewhere", "<iq type='result' id='echo-1' from='eve@example.net/x'/>"],
  ["an iq of no type", "<iq/><iq id='1'/><iq type='bogus' id='2'/><iq type='' id='3'/>"],
  ["an iq from no address", `<iq type='get' id='1' from='@'/><iq type='get' id='2' from='${longName}'/>`],
  ["a message from @", `<message from='@'><body>x</body></message>${bounce("from='@' id='1'")}${receipt("from='@'")}`],
  ["a message from nobody", bounce("from='' id='1'") + receipt("from=''") + receipt("")],
  ["a message from a very long address", bounce(`from='${longName}' id='1'`) + receipt(`from='${longName}'`)],
  ["refusals of what was never sent", bounce("id='1'") + bounce("") + bounce("from='bob@example.com' id='2'")],
  ["a refusal without a reason", "<message type='error' id='1'/><message type='error' id='1'><error/></message>"],
  ["a refusal of an odd reason", bounce("id='x'").replaceAll("item-not-found", "__proto__")],
  ["odd attributes", "<message __proto__='x' constructor='y' toString='z' hasOwnProperty='1'/>"],
  [
    "presence and messages, 50,000 of them",
    "<presence from='a@b.example'/><message><body>x</body></message>".repeat(50_000),
  ],
];

function streamError(condition: string, text: string): string {
  return `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${text}</${condition}></stream:error>`;
}

describe("a live session", () => {
  let pair: HostilePair;
  let connection: PeerConnection;
  beforeAll(async () => {
    pair = await startHostilePair();
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  afterEach(() => pair.expectOthersUntouched());

  test.each(deadly)("is ended by %s", async (_, code, reason, bytes) => {
    const { hostile, gateway } = pair;
    hostile.dropAll();
    await hostile.settled(0);
    const linesBefore = gateway.lines.length;
    connection = await pair.enter();
    connection.wire.send(bytes);
    await hostile.settled(0);
    const line = await gateway.logged(
      (each) => each.msg === "session ended" && gateway.lines.indexOf(each) >= linesBefore,
    );
    expect(line).toMatchObject({ domain: "example.com", code });
    expect(`${line["reason"]}`).toMatch(reason);
  });

  test("is opened again by the next message", async () => {
    expect((await pair.send("again")).status).toBe(201);
  });

  test.each(harmless)("goes on after %s", async (_, bytes) => {
    connection = pair.hostile.connections.at(-1) ?? (await pair.enter());
    connection.wire.send(typeof bytes === "function" ? bytes(connection) : bytes);
    // Its acknowledgement comes behind those bytes.
    expect((await pair.send("still there")).status).toBe(201);
    expect(pair.hostile.connectionCount).toBe(connection.number);
    expect(pair.hostile.messages.at(-1)).toMatchObject({ body: "still there", connection: connection.number });
  });
});

describe("a stream that comes one byte at a time", () => {
  test("is read as it was meant, in the middle of characters too", async () => {
    await using pair = await startHostilePair({
      fault: { at: "header", how: "one-byte-at-a-time" },
      bounce: ({ to }) => ({ when: "before-ack", condition: "item-not-found", from: to, text: "nö 👩‍👩‍👧 > \n" }),
    });
    // Only a refusal from just this address counts.
    const response = await pair.send("hi", "björn@xn--bcher-kva.example/größe 👍");
    expect(await response.json()).toMatchObject({ status: 404, code: "item_not_found" });
    await pair.expectOthersUntouched();
  });
});

test("characters of two, three and four bytes survive being cut anywhere, in pieces of any size", async () => {
  const stanza = Buffer.from(
    "<message from='größe@example.com/€'><body>ä€😀👩‍👩‍👧 &lt;&#x1F600;\u2028</body></message>",
  );
  const header = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const stream = new XmppStream("example.com", socket);
  const negotiated = stream.negotiate(new AbortController().signal);
  const seen: string[] = [];
  const ends: unknown[] = [];
  const give = async (bytes: Uint8Array) => {
    socket.push(bytes);
    await new Promise((resolve) => setImmediate(resolve));
  };
  // A server speaks when it has been spoken to.
  await give(Buffer.alloc(0));
  await give(Buffer.from(`${header}<stream:features/>`));
  await negotiated;
  stream.consume(
    (element) => seen.push(element.toString()),
    (reason) => ends.push(reason),
  );
  await give(stanza);
  for (let size = 1; size < stanza.length; size++) {
    for (let at = 0; at < stanza.length; at += size) await give(stanza.subarray(at, at + size));
  }
  for (let cut = 1; cut < stanza.length; cut++) {
    await give(stanza.subarray(0, cut));
    await give(stanza.subarray(cut));
  }
  expect(ends).toEqual([]);
  expect(seen.length).toBe(2 * stanza.length - 1);
  expect(new Set(seen).size).toBe(1);
  expect(seen[0]).toContain("ä€😀👩‍👩‍👧 &lt;😀\u2028");
  socket.destroy();
});

describe("a login", () => {
  const words: readonly (readonly [string, Bytes])[] = [
    ["a document type declaration", "<!DOCTYPE a>"],
    ["an undefined entity", "<a>&nbsp;</a>"],
    ["a million white spaces, and more", " ".repeat(2 * 1024 * 1024)],
    ["a million elements", "<a/>".repeat(300_000)],
    ["a depth over 64", "<a>".repeat(80)],
    ["the end of the stream", "</stream:stream>"],
    ["bytes that are not UTF-8", Uint8Array.of(0xc3, 0x28)],
    ["garbage", Uint8Array.of(0xff, 0x00, 0xfe)],
  ];
  const stages = [
    "header",
    "features",
    "challenge",
    "success",
    "restart-header",
    "restart-features",
    "bind",
    "enable",
  ] as const;
  const table = stages.flatMap((stage) => words.map(([why, bytes]) => [stage, why, bytes] as const));
  let pair: HostilePair;
  beforeAll(async () => {
    pair = await startHostilePair({ security: "plain" });
  });
  afterAll(() => pair[Symbol.asyncDispose]());
  afterEach(() => pair.expectOthersUntouched());

  test.each(table)("fails where in place of the %s comes %s", async (at, _, bytes) => {
    const account = `user${crypto.randomUUID()}@example.com`;
    // biome-ignore lint/suspicious/noThenProperty: the word of the peer's scripts for what comes next
    const how = { send: bytes, then: "hang" } as const;
    pair.hostile.change({ accounts: { [account]: "secret" }, fault: { at, how } });
    const startedMs = performance.now();
    const response = await pair.gateway.post("/msg/bob@example.com", "hi", { user: `${account}:secret` });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(await response.json()).toMatchObject({
      code: expect.stringMatching(/^(protocol_error|stream_closed)$/),
      outcome: "not_sent",
    });
    await pair.hostile.settled(0);
  });
});
