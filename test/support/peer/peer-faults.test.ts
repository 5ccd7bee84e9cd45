import { describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { eventually, within } from "../wait.ts";
import { type How, type Step, steps } from "./fault.ts";
import { givenPeer, login, once, owned } from "./peer-fixture.ts";

/** Enough for a busy machine to come as far as the silence. */
const silenceMs = 400;
const message = (id: string) => `<message to='bob@example.com' id='${id}'><body>${id}</body></message>`;

describe("the scripted peer, asked to fail", () => {
  /** Those that a login by PLAIN over STARTTLS goes through. */
  const loginSteps = steps.slice(0, steps.indexOf("bind") + 1).filter((step) => !/challenge|response/.test(step));
  const fatal: How[] = ["hang", "stop-reading", "close", "end", "reset", "garbage", { streamError: "reset" }];
  const cases = loginSteps.flatMap((at) => fatal.map((how): [Step, How] => [at, how]));

  test.each(cases)("stops the login at %s by %p", async (at, how) => {
    const peer = await givenPeer({ fault: { at, how } });
    const silent = how === "hang" || how === "stop-reading";
    await expect(login(peer, { timeoutMs: silent ? silenceMs : 5_000 })).rejects.toThrow();
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

function endingOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("data", () => {});
    socket.once("end", () => resolve("FIN"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
  });
}
