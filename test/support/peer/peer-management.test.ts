import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { Receiver } from "../receiver.ts";
import { within } from "../wait.ts";
import type { XmlElement } from "../xml-element.ts";
import type { Peer } from "./peer.ts";
import { givenPeer, login, once, owned } from "./peer-fixture.ts";

const called = (name: string) => (stanza: XmlElement) => stanza.name === name;
const message = (id: string) => `<message to='bob@example.com' id='${id}'><body>${id}</body></message>`;
const management = "xmlns='urn:xmpp:sm:3'";

describe("the scripted peer's stream management", () => {
  async function enable(peer: Peer): Promise<{ alice: Receiver; id: string }> {
    const alice = await login(peer, { presence: false });
    alice.send(`<enable ${management} resume='true'/>`);
    const enabled = await alice.received(called("enabled"));
    return { alice, id: enabled.attributes["id"] ?? "" };
  }

  test("acknowledges what was handled", async () => {
    const peer = await givenPeer();
    const { alice } = await enable(peer);
    alice.send(`${message("m1")}${message("m2")}<r ${management}/>`);
    expect((await alice.received(called("a"))).attributes["h"]).toBe("2");
    expect(peer.messages.map(({ id, acknowledged }) => [id, acknowledged])).toEqual([
      ["m1", true],
      ["m2", true],
    ]);
  });

  test("acknowledges less when told to", async () => {
    const peer = await givenPeer({ ackPolicy: (handled) => handled - 1 });
    const { alice } = await enable(peer);
    alice.send(`${message("m1")}${message("m2")}<r ${management}/>`);
    expect((await alice.received(called("a"))).attributes["h"]).toBe("1");
    expect(peer.messages.map(({ acknowledged }) => acknowledged)).toEqual([true, false]);
  });

  test("never acknowledges when told to, and does so again later", async () => {
    const peer = await givenPeer({ ackPolicy: "never" });
    const { alice } = await enable(peer);
    alice.send(`${message("m1")}<r ${management}/>${message("m2")}`);
    await peer.message(({ id }) => id === "m2");
    peer.change({ ackPolicy: "all" });
    alice.send(`<r ${management}/>`);
    await alice.received(called("a"));
    expect((await alice.received(called("a"))).attributes["h"]).toBe("2");
  });

  test.each([
    ["before-ack", ["message", "a"]],
    ["after-ack", ["a", "message"]],
  ] as const)("bounces %s", async (when, order) => {
    const peer = await givenPeer({ bounce: () => ({ when, condition: "item-not-found" }) });
    const { alice } = await enable(peer);
    alice.send(`${message("m1")}<r ${management}/>`);
    const seen: string[] = [];
    await alice.received((stanza) => {
      seen.push(stanza.name);
      return new Set(seen).size === 3;
    });
    expect(seen.slice(-3)).toEqual(["enabled", ...order]);
    const error = await alice.nextMessage();
    expect([error.type, error.id, error.from]).toEqual(["error", "m1", "bob@example.com"]);
    expect(error.raw).toContain("<item-not-found ");
  });

  test("takes up a session that was cut off, and sends again what was not acknowledged", async () => {
    const peer = await givenPeer();
    const { alice, id } = await enable(peer);
    alice.send(message("m1"));
    await peer.message();
    peer.connections[0]?.deliver("<message from='bob@example.com' id='back'/>");
    alice.drop();
    await peer.settled(0);
    const answer = await resumeByHand(peer, id);
    expect(answer).toContain(`<resumed xmlns='urn:xmpp:sm:3' previd='${id}' h='1'/>`);
    expect(answer).toContain("id='back'");
    expect(peer.messages[0]?.acknowledged).toBe(true);
  });

  test.each([
    ["refuse", "<failed xmlns='urn:xmpp:sm:3'>"],
    ["refuse-with-count", "<failed xmlns='urn:xmpp:sm:3' h='1'>"],
  ] as const)("can %s a resumption", async (resumption, answer) => {
    const peer = await givenPeer({ resumption });
    const { alice, id } = await enable(peer);
    alice.send(message("m1"));
    await peer.message();
    alice.drop();
    expect(await resumeByHand(peer, id)).toContain(answer);
  });
});

/** Logs in over a plain stream, asks to resume, and returns what the server said after that. */
async function resumeByHand(peer: Peer, id: string): Promise<string> {
  peer.change({ security: "plain" });
  const socket = connect(peer.port, peer.host);
  owned.push(() => void socket.destroy());
  let text = "";
  const said = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) {
      text += await within(2000, `${pattern} in ${text}`, once(socket));
    }
  };
  const header =
    "<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
  socket.write(header);
  await said(/<\/stream:features>/);
  const proof = Buffer.from("\0alice\0secret").toString("base64");
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${proof}</auth>`);
  await said(/<success/);
  text = "";
  socket.write(header);
  await said(/<\/stream:features>/);
  text = "";
  socket.write(`<resume ${management} previd='${id}' h='0'/><r ${management}/>`);
  await said(/<a |<\/failed>/);
  return text;
}
