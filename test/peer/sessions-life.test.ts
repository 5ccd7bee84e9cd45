/** The life of a session that nobody uses for a while: the real app, the scripted peer. */

import { afterEach, expect, test } from "bun:test";
import type { AppOptions } from "../../src/app.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { managementNamespace, pingNamespace } from "../support/peer/namespaces.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { childOf, type XmlElement } from "../support/xml-element.ts";

const accounts = { "alice@example.com": "secret", "carol@example.com": "secret", "dave@example.com": "secret" };
const owned: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

async function given(
  peerOptions: PeerOptions,
  settings: GatewayOptions["settings"],
  options: AppOptions = {},
): Promise<{ peer: Peer; gateway: Gateway }> {
  const peer = await startPeer({ accounts, ...peerOptions });
  owned.push(peer.stop);
  const gateway = await startGateway({ hosts: hostOf(peer), settings: settings ?? {}, ...options });
  owned.push(gateway.stop);
  return { peer, gateway };
}

const send = (gateway: Gateway, name = "alice") =>
  gateway.post("/msg/bob@example.com", "hi", { user: `${name}@example.com:secret` }).then(({ status }) => status);

const isRequest = ({ name, namespace }: XmlElement) => name === "r" && namespace === managementNamespace;
const isPing = (stanza: XmlElement) => childOf(stanza, "ping", pingNamespace) !== undefined;
/** Other pings than those that ask about messages. */
const isKeepalive = (stanza: XmlElement) => isPing(stanza) && !/^echo/.test(stanza.attributes["id"] ?? "");

test("after the keep-alive time of silence an acknowledgement is asked for, and an answer keeps the connection", async () => {
  const { peer, gateway } = await given({}, { sessions: { keepalive: "1s" } }, { keepaliveAnswerMs: 500 });
  expect(await send(gateway)).toBe(201);
  const connection = await peer.connection(1);
  const requests = () => connection.stanzas.filter(isRequest).length;
  const before = requests();
  await connection.reached("ack", before + 2, 5_000);
  // The second answer came one keep-alive after the first, so the first was in time.
  expect(requests()).toBeGreaterThanOrEqual(before + 2);
  expect([peer.openCount, peer.connectionCount]).toEqual([1, 1]);
  expect(await send(gateway)).toBe(201);
  expect(peer.connectionCount).toBe(1);
});

test("a server without stream management is pinged instead", async () => {
  const { peer, gateway } = await given(
    { streamManagement: false },
    { sessions: { keepalive: "1s" } },
    { keepaliveAnswerMs: 500 },
  );
  expect(await send(gateway)).toBe(201);
  await peer.received(isKeepalive);
  const connection = await peer.connection(1);
  await connection.reached("ping", connection.stanzas.filter(isPing).length + 1);
  expect([peer.openCount, peer.connectionCount]).toEqual([1, 1]);
});

test.each([
  ["stream management", true],
  ["pings", false],
] as const)(
  "a server that does not answer to %s loses the connection, and nobody connects again by himself",
  async (_, streamManagement) => {
    const { peer, gateway } = await given(
      { streamManagement },
      { sessions: { keepalive: "1s" } },
      { keepaliveAnswerMs: 300 },
    );
    expect(await send(gateway)).toBe(201);
    peer.change({ ackPolicy: "never", onStanza: isPing });
    const ended = await gateway.logged(({ msg }) => msg === "session ended");
    expect(ended).toMatchObject({ code: "stream_closed" });
    expect(ended["reason"]).toMatch(/does not answer any more/);
    await peer.settled(0);
    peer.change({ ackPolicy: "all", onStanza: undefined });
    await Bun.sleep(500);
    expect(peer.connectionCount).toBe(1);
    expect(await send(gateway)).toBe(201);
    expect(peer.connectionCount).toBe(2);
  },
);

test("a busy connection is not asked", async () => {
  const { peer, gateway } = await given({ streamManagement: false }, { sessions: { keepalive: "1s" } });
  const endMs = performance.now() + 1_500;
  while (performance.now() < endMs) expect(await send(gateway)).toBe(201);
  const connection = await peer.connection(1);
  expect(connection.stanzas.filter(isKeepalive)).toEqual([]);
});

test("an idle session that the server drops comes back when a message needs it, and not before", async () => {
  const { peer, gateway } = await given({}, {});
  expect(await send(gateway)).toBe(201);
  peer.dropAll();
  await gateway.logged(({ msg }) => msg === "session ended");
  await Bun.sleep(1_500);
  expect(peer.connectionCount).toBe(1);
  expect(await send(gateway)).toBe(201);
  expect(peer.connectionCount).toBe(2);
});

test("a session that nobody uses is closed after the idle time, with its stream", async () => {
  const { peer, gateway } = await given({}, { sessions: { idle: "1s" } });
  expect(await send(gateway)).toBe(201);
  const connection = await peer.connection(1);
  await peer.settled(0);
  expect(connection.streamEnded).toBe(true);
  expect(peer.connectionCount).toBe(1);
});

test("with max sessions open, the one that was not used for the longest time makes room", async () => {
  const { peer, gateway } = await given({}, { sessions: { max: 2 } });
  expect([await send(gateway, "alice"), await send(gateway, "carol"), await send(gateway, "alice")]).toEqual([
    201, 201, 201,
  ]);
  expect(await send(gateway, "dave")).toBe(201);
  await peer.settled(2);
  const [alice, carol, dave] = peer.connections;
  expect([alice?.streamEnded, carol?.streamEnded, dave?.streamEnded]).toEqual([false, true, false]);
});

test("with all sessions busy, one more account is told to come later, and nobody is cut off", async () => {
  const { peer, gateway } = await given({}, { sessions: { max: 2 } });
  expect([await send(gateway, "alice"), await send(gateway, "carol")]).toEqual([201, 201]);
  const held = Promise.withResolvers<undefined>();
  peer.change({ ackPolicy: (handled) => held.promise.then(() => handled) });
  const busy = [send(gateway, "alice"), send(gateway, "carol")];
  await peer.message(({ from }) => from.startsWith("carol") && peer.messages.length === 4);
  const refused = await gateway.post("/msg/bob@example.com", "hi", { user: "dave@example.com:secret" });
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: "overloaded", outcome: "not_sent" }]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  held.resolve(undefined);
  expect(await Promise.all(busy)).toEqual([201, 201]);
  expect(peer.connectionCount).toBe(2);
});

test("the resource says what the client is, and not whose", async () => {
  const { peer, gateway } = await given({}, {});
  expect(await send(gateway)).toBe(201);
  const message = await peer.message();
  expect(message.from).toMatch(/^alice@example\.com\/post-msg\/[0-9a-f]{12}$/);
});

test("a password that a server cannot take before a login is refused without asking it", async () => {
  const { peer, gateway } = await given({ mechanisms: ["PLAIN"] }, {});
  const user = `alice@example.com:${"x".repeat(12_000)}`;
  const response = await gateway.post("/msg/bob@example.com", "hi", { user });
  expect([response.status, await response.json()]).toMatchObject([401, { code: "credentials_unusable" }]);
  expect(peer.connectionCount).toBe(0);
});
