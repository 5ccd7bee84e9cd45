/** What SIGTERM asks of the app: finish what is in flight, close the streams, be done in time. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect } from "node:net";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { within } from "../support/wait.ts";

let peer: Peer;
beforeEach(async () => {
  peer = await startPeer();
});
afterEach(() => peer.stop());

test("a stop waits for the acknowledgement of a message in flight and then closes the stream", async () => {
  const release = Promise.withResolvers<void>();
  peer.change({ ackPolicy: (handled) => release.promise.then(() => handled) });
  const gateway = await startGateway({ hosts: hostOf(peer) });
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  let stopped = false;
  const stopping = gateway.stop().then(() => {
    stopped = true;
  });
  await expect(gateway.post("/msg/bob@example.com", "late")).rejects.toThrow(/ECONNREFUSED|Unable to connect/);
  expect(stopped).toBe(false);
  release.resolve();
  expect((await reply).status).toBe(201);
  await stopping;
  const connection = await peer.connection(1);
  expect(connection.streamEnded).toBe(true);
  expect(connection.text).toMatch(/<a xmlns="urn:xmpp:sm:3" h="\d+"\/><\/stream:stream>$/);
  expect(peer.messages.map(({ body }) => body)).toEqual(["hi"]);
});

test("a stop without anything in flight closes idle streams at once", async () => {
  const gateway = await startGateway({ hosts: hostOf(peer) });
  expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
  await within(1_000, "the gateway to stop", gateway.stop());
  expect((await peer.connection(1)).streamEnded).toBe(true);
  await peer.settled(0);
});

test("a stop of a gateway that has not sent anything is done at once", async () => {
  const gateway = await startGateway({ hosts: hostOf(peer) });
  await within(1_000, "the gateway to stop", gateway.stop());
});

test("with a peer that never acknowledges, a stop is done when ack_timeout is over: 504, unknown", async () => {
  peer.change({ ackPolicy: "never", resumption: "not-offered" });
  const gateway = await startGateway({ hosts: hostOf(peer), settings: { delivery: { ack_timeout: "300ms" } } });
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  await within(2_000, "the gateway to stop", gateway.stop());
  const response = await reply;
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ code: "ack_timeout", outcome: "unknown" });
});

test("with a peer that never acknowledges, a stop gives up in time: 504, unknown", async () => {
  peer.change({ ackPolicy: "never" });
  const gateway = await startGateway({
    hosts: hostOf(peer),
    settings: { delivery: { ack_timeout: "60s" } },
    drainMs: 200,
  });
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  await within(2_000, "the gateway to stop", gateway.stop());
  const response = await reply;
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ code: "shutdown_unacknowledged", outcome: "unknown" });
  expect((await peer.connection(1)).streamEnded).toBe(true);
});

test("with a login that hangs, a stop gives up in time: 503, not sent", async () => {
  peer.change({ fault: { at: "challenge", how: "hang" } });
  const gateway = await startGateway({
    hosts: hostOf(peer),
    settings: { sessions: { login_timeout: "60s" } },
    drainMs: 200,
  });
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await (await peer.connection(1)).reached("challenge");
  await within(2_000, "the gateway to stop", gateway.stop());
  const response = await reply;
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: "shutting_down", outcome: "not_sent" });
  await peer.settled(0);
});

test("with a peer that does not answer the end of the stream, a stop is done within the two seconds it is given", async () => {
  peer.change({ fault: { at: "end", how: "hang" } });
  const gateway = await startGateway({ hosts: hostOf(peer) });
  expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
  await within(3_000, "the gateway to stop", gateway.stop());
  await peer.settled(0);
});

const begun: readonly (readonly [string, string])[] = [
  ["its headers", ""],
  ["its body", "Content-Length: 100\r\n\r\nx"],
];

test.each(begun)("a caller who never finishes %s does not hold up a stop beyond its time", async (_, rest) => {
  const gateway = await startGateway({ hosts: hostOf(peer), drainMs: 100 });
  const caller = connect(gateway.port, "127.0.0.1");
  const closed = new Promise((resolve) => caller.once("close", resolve));
  const credentials = Buffer.from("alice@example.com:secret").toString("base64");
  caller.write(`POST /msg/bob HTTP/1.1\r\nHost: example.com\r\nAuthorization: Basic ${credentials}\r\n${rest}`);
  // What was written before is read before this is answered, and a session is there to be closed.
  expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
  await within(3_000, "the gateway to stop", gateway.stop());
  await within(1_000, "the connection to be closed", closed);
  expect((await peer.connection(1)).streamEnded).toBe(true);
  expect(peer.messages.map(({ body }) => body)).toEqual(["hi"]);
});
