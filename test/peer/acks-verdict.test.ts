/** When the verdict on a message falls, and what counts as one: the real app, the scripted peer. */

import { afterEach, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import type { PeerConnection } from "../support/peer/connection.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { iqResult, stanzaError, streamError } from "../support/peer/replies.ts";
import { within } from "../support/wait.ts";
import { childOf, firstChildOf, textOf, type XmlElement } from "../support/xml-element.ts";

let peer: Peer;
let gateway: Gateway;
afterEach(async () => {
  await gateway.stop();
  await peer.stop();
});

async function begin(grace: string, behaviour: Parameters<typeof startPeer>[0] = {}): Promise<void> {
  peer = await startPeer(behaviour);
  gateway = await startGateway({
    hosts: hostOf(peer, { grace }),
    settings: { delivery: { ack_timeout: "5s" } },
  });
}

const send = (body: string, headers: Record<string, string> = {}) =>
  gateway.post("/msg/bob@example.com", body, { headers });

const isPing = (stanza: XmlElement) => firstChildOf(stanza)?.namespace === "urn:xmpp:ping";

describe("a message that is acknowledged and echoed", () => {
  const endings = ["conflict", "system-shutdown", "not-authorized"];
  test.each(endings)("is answered, and is a 201, if the stream ends within the grace time: %s", async (condition) => {
    await begin("500ms", { answers: { ack: (proper) => `${proper}${streamError(condition)}</stream:stream>` } });
    const reply = await within(4_000, "an answer", send("one"));
    expect(reply.status).toBe(201);
    expect(peer.messages.length).toBe(1);
  });
});

describe("an echo that came before the connection was lost", () => {
  test("does not stand in for the echo of a later message", async () => {
    let refuseAndEcho: (() => void) | undefined;
    const onStanza = (stanza: XmlElement, connection: PeerConnection) => {
      const second = peer.messages[1]?.element;
      if (second === undefined || !isPing(stanza)) return false;
      // It is refused well after the grace time, but before its echo.
      const refusal = stanzaError(second, { condition: "item-not-found" });
      refuseAndEcho = () => void setTimeout(() => connection.deliver(refusal + iqResult(stanza)), 250);
      return true;
    };
    const ack = async (proper: string, connection: PeerConnection) => {
      if (connection.number > 1) {
        refuseAndEcho?.();
        return proper;
      }
      // A reset takes along what the client has not read yet, and the echo is to be read.
      await Bun.sleep(50);
      connection.wire.reset();
      return "";
    };
    await begin("50ms", { onStanza, answers: { ack } });
    expect((await send("first")).status).toBe(201);
    expect((await send("second")).status).toBe(404);
    expect(peer.messages.map(({ body }) => body)).toEqual(["first", "second"]);
  });
});

describe("a connection that is lost again", () => {
  test("after the count was told and before the new session began does not make the count forgotten", async () => {
    await begin("0s", {
      resumption: "refuse-with-count",
      fault: [
        { at: "ack", how: "reset", connection: 1 },
        { at: "bind", how: "reset", connection: 2 },
      ],
    });
    expect((await send("once")).status).toBe(201);
    expect(peer.messages.map(({ body }) => body)).toEqual(["once"]);
    expect(peer.connectionCount).toBe(3);
  });
});

describe("with Prefer: wait", () => {
  /** The peer answers the message with this as soon as it has acknowledged it. */
  const answerWith = (make: (message: XmlElement) => string) =>
    begin("0s", {
      onStanza: (stanza, connection) => {
        if (stanza.name !== "message") return false;
        setTimeout(() => connection.deliver(make(stanza)), 30);
        return false;
      },
    });
  const wait = { Prefer: "wait=1" };
  const receipt = (from: string) => (message: XmlElement) =>
    `<message from='${from}' id='r1'><received xmlns='urn:xmpp:receipts' id='${message.attributes["id"]}'/></message>`;
  const refusal = (from: string) => (message: XmlElement) =>
    stanzaError(message, { condition: "item-not-found", from });

  test.each(["bob@example.com", "bob@example.com/phone"])("the receipt of the recipient counts: %s", async (from) => {
    await answerWith(receipt(from));
    const reply = await send("hi", wait);
    expect(reply.status).toBe(201);
    expect(reply.headers.get("preference-applied")).toBe("wait=1");
    expect(await reply.json()).toMatchObject({ status: "received" });
  });

  /** Each message names in its text who is to answer it. */
  const senderOf = (message: XmlElement) => textOf(childOf(message, "body"));

  test("the receipt of somebody else does not", async () => {
    await answerWith((message) => receipt(senderOf(message))(message));
    const strangers = ["mallory@example.com", "mallory@example.com/bob", "bob@example.org", "example.com", "bob"];
    const replies = await Promise.all(strangers.map((stranger) => send(stranger, wait)));
    for (const reply of replies) {
      expect(reply.status).toBe(201);
      expect(await reply.json()).toMatchObject({ status: "accepted" });
    }
  });

  test.each(["bob@example.com", "example.com", ""])("a late refusal is the answer if it is from %p", async (from) => {
    await answerWith(refusal(from));
    const startedMs = performance.now();
    const reply = await send("hi", wait);
    expect(reply.status).toBe(404);
    expect(await reply.json()).toMatchObject({ code: "item_not_found", outcome: "not_sent" });
    expect(performance.now() - startedMs).toBeLessThan(900);
  });

  test("a late refusal by somebody else changes nothing", async () => {
    await answerWith((message) => refusal(senderOf(message))(message));
    const strangers = ["mallory@example.com", "mallory@example.com/x", "bob@example.org", "example.org"];
    const replies = await Promise.all(strangers.map((stranger) => send(stranger, wait)));
    for (const reply of replies) {
      expect(reply.status).toBe(201);
      expect(await reply.json()).toMatchObject({ status: "accepted" });
    }
  });

  test("the refusal of our own server counts for a recipient elsewhere", async () => {
    await answerWith(refusal("example.com"));
    const reply = await gateway.post("/msg/bob@elsewhere.example", "hi", { headers: wait });
    expect(reply.status).toBe(404);
  });

  test("wait_max caps it, and Preference-Applied says so", async () => {
    peer = await startPeer();
    gateway = await startGateway({ hosts: hostOf(peer, { grace: "0s" }), settings: { http: { wait_max: "1s" } } });
    const startedMs = performance.now();
    const reply = await send("hi", { Prefer: "wait=30" });
    const tookMs = performance.now() - startedMs;
    expect(reply.status).toBe(201);
    expect(reply.headers.get("preference-applied")).toBe("wait=1");
    expect(await reply.json()).toMatchObject({ status: "accepted" });
    expect(tookMs).toBeGreaterThan(950);
    expect(tookMs).toBeLessThan(2_000);
  });

  test("a receipt is asked for, and without it none is", async () => {
    await answerWith(receipt("bob@example.com"));
    expect((await send("with", wait)).status).toBe(201);
    expect((await send("without")).status).toBe(201);
    const [first, second] = peer.messages.map(({ element }) => element.raw.includes("urn:xmpp:receipts"));
    expect([first, second]).toEqual([true, false]);
  });
});

describe("a refusal that comes too late", () => {
  test("is logged with the message's id", async () => {
    await begin("0s", {
      onStanza: (stanza, connection) => {
        if (stanza.name !== "message") return false;
        setTimeout(() => connection.deliver(stanzaError(stanza, { condition: "remote-server-not-found" })), 50);
        return false;
      },
    });
    const reply = await send("hi");
    expect(reply.status).toBe(201);
    const receipt: unknown = await reply.json();
    const line = await gateway.logged(({ msg }) => msg === "late refusal");
    expect(receipt).toMatchObject({ id: line["id"] });
    expect(line).toMatchObject({ code: "remote_server_not_found" });
  });
});
