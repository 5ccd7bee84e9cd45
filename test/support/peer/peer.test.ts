import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { type Receiver, type ReceiverOptions, startReceiver } from "../receiver.ts";
import { eventually, within } from "../wait.ts";
import type { XmlElement } from "../xml-element.ts";
import { type How, type Step, steps } from "./fault.ts";
import type { PeerOptions } from "./options.ts";
import { type Peer, startPeer } from "./peer.ts";

const owned: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

async function givenPeer(options: PeerOptions = {}): Promise<Peer> {
  const peer = await startPeer(options);
  owned.push(peer.stop);
  return peer;
}

async function login(peer: Peer, options: Partial<ReceiverOptions> = {}): Promise<Receiver> {
  const alice = { port: peer.port, jid: "alice@example.com", password: "secret", ca: peer.authority.certificatePem };
  const receiver = await startReceiver({ ...alice, ...options });
  owned.push(receiver.drop);
  return receiver;
}

const called = (name: string) => (stanza: XmlElement) => stanza.name === name;
const message = (id: string) => `<message to='bob@example.com' id='${id}'><body>${id}</body></message>`;
const management = "xmlns='urn:xmpp:sm:3'";

describe("the scripted peer, behaving well", () => {
  test.each(["starttls", "direct", "plain"] as const)("takes a login and a message (%s)", async (security) => {
    const peer = await givenPeer({ security });
    const alice = await login(peer, { security });
    alice.send("<message to='bob@example.com' id='m1' type='chat'><body>hi ö</body></message>");
    expect(await peer.message()).toMatchObject({
      ...{ id: "m1", to: "bob@example.com", type: "chat", body: "hi ö", from: alice.jid },
      ...{ connection: 1, acknowledged: false },
    });
    const { attributes } = await alice.request("get", "<ping xmlns='urn:xmpp:ping'/>");
    expect([attributes["type"], peer.messages[0]?.acknowledged]).toEqual(["result", true]);
    await alice.close();
    await peer.settled(0);
    expect([peer.sawSasl, peer.connections[0]?.streamEnded]).toEqual([true, true]);
  });

  test("listens on ::1 when asked to", async () => {
    const peer = await givenPeer({ host: "::1" });
    expect((await login(peer, { host: "::1" })).jid).toStartWith("alice@example.com/");
  });

  test("keeps encrypted bytes apart from those in the clear", async () => {
    const peer = await givenPeer();
    await login(peer);
    const pieces = peer.connections[0]?.received ?? [];
    const textOf = (encrypted: boolean) =>
      Buffer.concat(pieces.filter((piece) => piece.encrypted === encrypted).map(({ bytes }) => bytes)).toString();
    expect(textOf(false)).toContain("<starttls");
    expect(textOf(false)).not.toContain("<auth");
    expect(textOf(true)).toContain("<auth");
  });

  test("refuses a wrong password", async () => {
    const peer = await givenPeer();
    await expect(login(peer, { password: "wrong" })).rejects.toThrow("<not-authorized/>");
  });

  test("does not know other domains", async () => {
    const peer = await givenPeer({ security: "plain" });
    await expect(login(peer, { jid: "alice@example.org", security: "plain" })).rejects.toThrow("host-unknown");
  });

  test("sees no SASL from a client that does not trust its certificate, and why it left", async () => {
    const peer = await givenPeer();
    const stranger = await givenPeer();
    await expect(login(peer, { ca: stranger.authority.certificatePem })).rejects.toThrow();
    await peer.settled(0);
    expect([peer.sawSasl, peer.connections[0]?.tlsError !== undefined]).toEqual([false, true]);
  });

  test("can be limited to a version of TLS that nobody should speak", async () => {
    const peer = await givenPeer({ security: "direct", minVersion: "TLSv1", maxVersion: "TLSv1" });
    await expect(login(peer, { security: "direct" })).rejects.toThrow();
    await peer.settled(0);
    expect(peer.sawSasl).toBe(false);
  });
});

describe("the scripted peer, asked to fail", () => {
  /** Those that a login by PLAIN over STARTTLS goes through. */
  const loginSteps = steps.slice(0, steps.indexOf("bind") + 1).filter((step) => !/challenge|response/.test(step));
  const fatal: How[] = ["hang", "stop-reading", "close", "end", "reset", "garbage", { streamError: "reset" }];
  const cases = loginSteps.flatMap((at) => fatal.map((how): [Step, How] => [at, how]));

  test.each(cases)("stops the login at %s by %p", async (at, how) => {
    const peer = await givenPeer({ fault: { at, how } });
    await expect(login(peer, { timeoutMs: 100 })).rejects.toThrow();
    await peer.connections[0]?.reached(at);
    // Who does not read does not see that the client has left either.
    if (how !== "stop-reading") await peer.settled(0);
  });

  test.each(
    loginSteps.flatMap((at) => (["one-byte-at-a-time", { delayMs: 20 }] as How[]).map((how): [Step, How] => [at, how])),
  )("lets the login succeed in spite of a fault at %s by %p", async (at, how) => {
    const peer = await givenPeer({ fault: { at, how } });
    await login(peer);
  });

  test.each(["plain", "direct"] as const)("resets with a RST and closes with a FIN (%s)", async (security) => {
    const peer = await givenPeer({ security });
    const endOf = async (how: How): Promise<string> => {
      peer.change({ fault: { at: security === "plain" ? "header" : "tls", how } });
      const socket = connect(peer.port, peer.host);
      socket.write("<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='x'>");
      return within(2000, "the end", endingOf(socket));
    };
    expect([await endOf("reset"), await endOf("close")]).toEqual(["ECONNRESET", "FIN"]);
  });

  test("resets inside of TLS as well", async () => {
    const peer = await givenPeer({ fault: { at: "message", how: "reset", nth: 2 } });
    const alice = await login(peer);
    alice.send(message("m1"));
    await peer.message();
    alice.send(message("m2"));
    await within(2000, "the reset", alice.closed);
    expect(peer.messages.map(({ id }) => id)).toEqual(["m1"]);
  });

  test("cuts an answer in the middle", async () => {
    const peer = await givenPeer({ security: "plain", fault: { at: "header", how: "close", afterBytes: 10 } });
    const socket = connect(peer.port, peer.host);
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.write("<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='x'>");
    await within(2000, "the end", endingOf(socket));
    expect(text).toBe("<?xml vers");
  });

  test("strikes only on the connection that was named", async () => {
    const peer = await givenPeer({ fault: { at: "auth", how: { saslFailure: "account-disabled" }, connection: 2 } });
    await login(peer);
    await expect(login(peer)).rejects.toThrow("account-disabled");
    await login(peer);
  });

  test("lets the client's writes get stuck when it stops reading", async () => {
    const peer = await givenPeer({ security: "plain", fault: { at: "header", how: "stop-reading" } });
    const socket = connect(peer.port, peer.host);
    owned.push(() => socket.destroy());
    socket.write("<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='x'>");
    await (await peer.connection(1)).reached("header");
    const received = peer.connections[0]?.text.length;
    let drained = false;
    socket.write(Buffer.alloc(32 * 1024 * 1024, " "), () => {
      drained = true;
    });
    // Whatever the kernel's buffers take is taken within this time.
    await Bun.sleep(100);
    expect([drained, peer.connections[0]?.text.length]).toEqual([false, received]);
  });

  test("puts into one write what a test adds to the right answer", async () => {
    const peer = await givenPeer({ answers: { proceed: (proper) => `${proper}<injected/>` } });
    const socket = connect(peer.port, peer.host);
    owned.push(() => socket.destroy());
    socket.write("<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='x'>");
    await (await peer.connection(1)).reached("features");
    await once(socket);
    socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    expect(String(await once(socket))).toEndWith("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><injected/>");
  });

  test("sees SASL that is sent in the clear where TLS was to begin", async () => {
    const peer = await givenPeer({ answers: { proceed: () => "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" } });
    const socket = connect(peer.port, peer.host);
    owned.push(() => socket.destroy());
    socket.write("<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='x'>");
    socket.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    await (await peer.connection(1)).reached("tls");
    socket.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
    await eventually(() => peer.sawSasl);
  });
});

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

function once(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => socket.once("data", resolve));
}

function endingOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("data", () => {});
    socket.once("end", () => resolve("FIN"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
  });
}
