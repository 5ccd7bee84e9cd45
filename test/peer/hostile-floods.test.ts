/** A server that sends as fast as it can, reads nothing, or asks for ever: what is kept for it is bounded. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Failure } from "../../src/errors.ts";
import type { LinkEvents } from "../../src/link.ts";
import { createConnect, type XmppHost } from "../../src/xmpp/connect.ts";
import { atOnce } from "../../src/xmpp/log-in.ts";
import { systemLookup } from "../../src/xmpp/lookup.ts";
import { type HostilePair, startHostilePair } from "../support/hostile-pair.ts";
import { jid } from "../support/jid.ts";
import { eventually, within } from "../support/wait.ts";

const mebibyte = 1024 * 1024;
const query = "<iq type='get' id='x'><query xmlns='urn:example'/></iq>";

let pair: HostilePair;
beforeEach(async () => {
  pair = await startHostilePair({ record: false });
});
afterEach(() => pair[Symbol.asyncDispose]());

function heapBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

const unread: readonly (readonly [string, string])[] = [
  ["queries", query],
  ["pings", "<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>"],
  ["requests for acknowledgement", "<r xmlns='urn:xmpp:sm:3'/>"],
];

test.each(unread)("%s of a server that does not read the answers end the connection", async (_, question) => {
  const connection = await pair.enter();
  const before = heapBytes();
  connection.wire.stopReading();
  const flood = question.repeat(1_000);
  for (let round = 0; round < 400 && connection.wire.tls?.writable; round++) {
    connection.wire.send(flood);
    await Bun.sleep(0);
  }
  expect(await pair.ended()).toMatchObject({
    code: "protocol_error",
    reason: expect.stringContaining("asks without reading the answers"),
  });
  expect(heapBytes() - before).toBeLessThan(32 * mebibyte);
  pair.hostile.dropAll();
  await pair.expectOthersUntouched();
  expect((await pair.send("again")).status).toBe(201);
});

test("every query of a server that reads is answered, and nothing is kept of it", async () => {
  const count = 50_000;
  let answers = 0;
  pair.hostile.change({
    onStanza: ({ name, attributes }) => {
      if (name === "iq" && attributes["id"] === "x") answers += 1;
      return name === "iq";
    },
  });
  const connection = await pair.enter();
  const before = heapBytes();
  for (let round = 0; round < 100; round++) {
    connection.wire.send(query.repeat(count / 100));
    await eventually(() => answers === (count / 100) * (round + 1));
  }
  expect(heapBytes() - before).toBeLessThan(8 * mebibyte);
  expect((await pair.send("next")).status).toBe(201);
  expect(pair.hostile.connectionCount).toBe(1);
  await pair.expectOthersUntouched();
});

test("messages and presence that nobody wants are dropped", async () => {
  const connection = await pair.enter();
  const before = heapBytes();
  const text = "x".repeat(500);
  for (let round = 0; round < 100; round++) {
    connection.wire.send(
      `<message from='eve@example.net/${round}'><body>${text}</body></message><presence/>`.repeat(500),
    );
    await Bun.sleep(0);
  }
  expect((await pair.send("next")).status).toBe(201);
  expect(heapBytes() - before).toBeLessThan(32 * mebibyte);
  expect(pair.hostile.connectionCount).toBe(1);
  await pair.expectOthersUntouched();
});

test("refusals of what was never sent do not fill the log", async () => {
  const connection = await pair.enter();
  const refusals = Array.from({ length: 20_000 }, (_, id) => `<message type='error' id='${id}'/>`);
  connection.wire.send(refusals.join(""));
  expect((await pair.send("next")).status).toBe(201);
  expect(pair.gateway.lines.filter(({ msg }) => msg === "late refusal").length).toBe(1_000);
  await pair.expectOthersUntouched();
});

test("acknowledgements that cover nothing, two for each that was asked for, make no loop", async () => {
  let asked = 0;
  await using slow = await startHostilePair({ resumption: "not-offered" }, { delivery: { ack_timeout: "1s" } });
  slow.hostile.change({
    ackPolicy: () => {
      asked += 1;
      return asked < 2_000 ? 0 : undefined;
    },
    answers: { ack: (proper) => proper + proper },
  });
  expect(await (await slow.send()).json()).toMatchObject({ outcome: "unknown" });
  // Once at once, and then every quarter of a second, on one connection or two.
  expect(asked).toBeLessThan(12);
});

test("a session that is taken up again gets what had waited for it, however much it is", async () => {
  const refusal = `<message type='error' id='old' from='bob@example.com'>${"<x/>".repeat(50)}</message>`;
  pair.hostile.change({ fault: { at: "message", how: "hang", connection: 1, nth: 2 } });
  const connection = await pair.enter();
  const reply = pair.send("in flight");
  await connection.reached("message", 2);
  for (let i = 0; i < 1_500; i++) connection.session?.keep(refusal);
  connection.wire.reset();
  expect((await reply).status).toBe(201);
  expect(pair.hostile.connectionCount).toBe(2);
  expect(await pair.gateway.logged(({ msg }) => msg === "connection is back")).toMatchObject({ resumed: true });
  await pair.expectOthersUntouched();
});

describe("a link", () => {
  /** As src/session would get it, with what it is told. */
  async function openLink() {
    const account = jid("alice@example.com");
    const { domain, host: hostname, port, authority } = pair.hostile;
    const connect = { hostname, port, tls: "starttls" } as const;
    const caCertificates = [authority.certificatePem];
    const host: XmppHost = { domain, connect, caCertificates, insecurePlaintext: false, grace: 0 };
    const { login } = createConnect({ keepaliveMs: 60_000, lookup: systemLookup(), findHost: () => host });
    const gone = Promise.withResolvers<void>();
    const reasons: Failure[] = [];
    const events: LinkEvents = {
      ...{ acknowledged() {}, echoed() {}, bounced() {}, received() {}, saidInRoom() {}, present() {}, drained() {} },
      lost: (reason) => {
        reasons.push(reason);
        gone.resolve();
      },
    };
    const link = await login({ account, password: "secret" }, events, {
      signal: new AbortController().signal,
      admit: atOnce,
    });
    return { link, lost: gone.promise, reasons };
  }

  test("that is lost can be closed, and is closed at once", async () => {
    const { link, lost, reasons } = await openLink();
    pair.hostile.dropAll();
    await lost;
    await within(1_000, "the link to be closed", link.close());
    expect(reasons.length).toBe(1);
  });

  test("is lost once, also where the login's last word and what ends the stream come together", async () => {
    pair.hostile.change({ answers: { enable: (proper) => `${proper}<a xmlns='urn:xmpp:sm:3'/><message/>` } });
    const { link, lost, reasons } = await openLink();
    await lost;
    await within(1_000, "the link to be closed", link.close());
    expect(reasons.map(({ code }) => code)).toEqual(["protocol_error"]);
  });
});

test("queries from what is no address, and what is neither question nor answer, get no answer", async () => {
  const answered: (string | undefined)[] = [];
  pair.hostile.change({
    onStanza: ({ name, attributes }) => {
      if (name === "iq") answered.push(attributes["id"]);
      return name === "iq";
    },
  });
  const connection = await pair.enter();
  const long = `${"x".repeat(4_000)}@example.net`;
  const senders = ["@", "", "a@b@c", "/", long].map((from) => `<iq type='get' id='odd' from='${from}'/>`);
  connection.wire.send(
    `${senders.join("")}<iq id='odd'/><iq type='x' id='odd'/><iq type='set' id='good' from='a@b.example'/>`,
  );
  expect((await pair.send("next")).status).toBe(201);
  expect(answered).toEqual(["good"]);
});

test("what ends the stream in the same breath as the login's last word is an error like any other", async () => {
  pair.hostile.change({ answers: { enable: (proper) => `${proper}<a xmlns='urn:xmpp:sm:3'/>` } });
  const response = await pair.send();
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: "stream_closed", outcome: "not_sent" });
  await pair.hostile.settled(0);
  await pair.expectOthersUntouched();
  await within(3_000, "the gateway to stop", pair.gateway.stop());
});
