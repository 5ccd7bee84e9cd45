/** One session an account, whatever comes at it: the real app, the scripted peer. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect } from "node:net";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { postFrom } from "../support/http-from.ts";
import { bindNamespace, managementNamespace, pingNamespace } from "../support/peer/namespaces.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { childOf } from "../support/xml-element.ts";

let peer: Peer;
let gateway: Gateway;
beforeEach(async () => {
  peer = await startPeer({ accounts: { "alice@example.com": "secret", "carol@example.com": "other" } });
  gateway = await startGateway({ hosts: hostOf(peer) });
});
afterEach(async () => {
  await gateway.stop();
  await peer.stop();
});

const send = (body: string, user?: string) =>
  gateway.post("/msg/bob@example.com", body, user === undefined ? {} : { user });

function countBinds(): number {
  const stanzas = peer.connections.flatMap((connection) => connection.stanzas);
  return stanzas.filter((stanza) => childOf(stanza, "bind", bindNamespace) !== undefined).length;
}

test("200 parallel first requests of one account make one connection and bind one resource", async () => {
  const requests = Array.from({ length: 200 }, (_, index) => send(`${index}`));
  const responses = await Promise.all(requests);
  expect(responses.map(({ status }) => status)).toEqual(requests.map(() => 201));
  const bodies = new Set(peer.messages.map(({ body }) => body));
  expect([bodies.size, peer.messages.length]).toEqual([200, 200]);
  expect(peer.connections.length).toBe(1);
  expect(countBinds()).toBe(1);
});

test("200 parallel requests with a wrong password make one login", async () => {
  const requests = Array.from({ length: 200 }, () => send("not mine", "alice@example.com:guess"));
  const responses = await Promise.all(requests);
  expect(responses.map(({ status }) => status)).toEqual(requests.map(() => 401));
  expect(peer.connections.length).toBe(1);
});

test("the server's pings and requests for an acknowledgement are answered", async () => {
  expect((await send("hi")).status).toBe(201);
  const connection = await peer.connection(1);
  connection.deliver(`<iq type='get' id='p1' from='example.com'><ping xmlns='${pingNamespace}'/></iq>`);
  const pong = await peer.received(({ name, attributes }) => name === "iq" && attributes["id"] === "p1");
  expect(pong.attributes).toMatchObject({ type: "result", to: "example.com" });
  connection.deliver("<iq type='get' id='q1' from='eve@example.net/x'><query xmlns='jabber:iq:last'/></iq>");
  const refusal = await peer.received(({ name, attributes }) => name === "iq" && attributes["id"] === "q1");
  expect(refusal.attributes).toMatchObject({ type: "error", to: "eve@example.net/x" });
  connection.send(`<r xmlns='${managementNamespace}'/>`);
  const count = await peer.received(({ name, namespace }) => name === "a" && namespace === managementNamespace);
  // These two, and the peer's answers to the gateway's own disco#info and ping.
  expect(count.attributes["h"]).toBe("4");
  expect((await send("again")).status).toBe(201);
  expect(peer.connections.length).toBe(1);
});

test("two spellings of one account share a session, two accounts do not", async () => {
  expect((await send("one", "alice@example.com:secret")).status).toBe(201);
  expect((await send("two", "ALICE@Example.COM:secret")).status).toBe(201);
  expect((await send("three", "alice:secret")).status).toBe(201);
  expect(peer.connections.length).toBe(1);
  expect((await send("four", "carol@example.com:other")).status).toBe(201);
  expect(peer.connections.length).toBe(2);
});

test("no presence is sent, so that the user's own clients are left alone", async () => {
  expect((await send("hi")).status).toBe(201);
  const [connection] = peer.connections;
  expect(connection?.stanzas.filter(({ name }) => name === "presence")).toEqual([]);
});

test("a wrong password beside a live session is a 401 and does not disturb the session", async () => {
  expect((await send("first")).status).toBe(201);
  const attempts = await Promise.all(
    Array.from({ length: 5 }, (_, index) => send("not mine", `alice@example.com:guess ${index % 2}`)),
  );
  expect(attempts.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  await peer.settled(1);
  expect((await send("second")).status).toBe(201);
  expect(peer.messages.map(({ body, connection }) => [body, connection])).toEqual([
    ["first", 1],
    ["second", 1],
  ]);
  // One login a guess, however often it is made at a time, and no resource bound for any.
  expect(peer.connections.length).toBe(3);
  expect(countBinds()).toBe(1);
});

test("a wrong password while the right one logs in is a 401, and the right one is served", async () => {
  const login = Promise.withResolvers<void>();
  peer.change({ answers: { success: (proper) => login.promise.then(() => proper) } });
  const right = send("right");
  await (await peer.connection(1)).reached("success");
  expect((await send("wrong", "alice@example.com:guess")).status).toBe(401);
  login.resolve();
  expect((await right).status).toBe(201);
  expect(peer.messages.map(({ body }) => body)).toEqual(["right"]);
});

test("the right password is served while a wrong one logs in", async () => {
  const login = Promise.withResolvers<void>();
  peer.change({
    answers: { challenge: (proper, { number }) => (number === 1 ? login.promise.then(() => proper) : proper) },
  });
  const wrong = send("wrong", "alice@example.com:guess");
  await (await peer.connection(1)).reached("challenge");
  const right = send("right");
  await (await peer.connection(2)).reached("success");
  login.resolve();
  expect((await wrong).status).toBe(401);
  expect((await right).status).toBe(201);
  expect(peer.messages.map(({ body }) => body)).toEqual(["right"]);
});

test("a password that the server takes no more is not believed for the sake of its session's past", async () => {
  expect((await send("first")).status).toBe(201);
  peer.change({ accounts: { "alice@example.com": "new" } });
  peer.dropAll();
  await gateway.logged(({ msg }) => msg === "session ended");
  expect((await send("second")).status).toBe(401);
  expect((await send("third", "alice@example.com:new")).status).toBe(201);
  expect(peer.messages.map(({ body }) => body)).toEqual(["first", "third"]);
});

test("a request after a reset is served over a new login", async () => {
  expect((await send("first")).status).toBe(201);
  peer.dropAll();
  await gateway.logged(({ msg }) => msg === "session ended");
  expect((await send("second")).status).toBe(201);
  expect(peer.messages.map(({ body, connection }) => [body, connection])).toEqual([
    ["first", 1],
    ["second", 2],
  ]);
});

test("a message whose caller hangs up during the login is not sent", async () => {
  const login = Promise.withResolvers<void>();
  peer.change({ answers: { success: (proper) => login.promise.then(() => proper) } });
  const caller = connect(gateway.port, "127.0.0.1");
  const credentials = Buffer.from("alice@example.com:secret").toString("base64");
  caller.write(
    `POST /msg/bob@example.com HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic ${credentials}\r\nContent-Length: 4\r\n\r\ngone`,
  );
  await (await peer.connection(1)).reached("success");
  const closed = new Promise((resolve) => caller.once("close", resolve));
  caller.destroy();
  await closed;
  const next = send("next");
  // The hang-up came before this request, and its answer comes after that was noticed.
  await gateway.post("/msg/", undefined, { method: "OPTIONS" });
  login.resolve();
  expect((await next).status).toBe(201);
  expect(await gateway.logged(({ status }) => status === 503)).toMatchObject({
    code: "withdrawn",
    outcome: "not_sent",
  });
  expect(peer.messages.map(({ body }) => body)).toEqual(["next"]);
});

test("a session that nobody uses is closed properly after its idle time", async () => {
  await using brief = await startGateway({ hosts: hostOf(peer), settings: { sessions: { idle: "1s" } } });
  expect((await brief.post("/msg/bob@example.com", "hi")).status).toBe(201);
  const connection = await peer.connection(1);
  await peer.settled(0);
  expect(connection.streamEnded).toBe(true);
});

test("where others have to wait, the right password of a live session is answered as a wrong one, but at its owner's", async () => {
  expect((await send("hi")).status).toBe(201);
  const guess = (password: string) =>
    postFrom({ port: gateway.port, user: `alice@example.com:${password}`, body: "not mine", from: "127.0.0.66" });
  const statuses: number[] = [];
  for (let nth = 0; nth < 20; nth++) statuses.push((await guess(`guess ${nth}`)).status);
  expect(statuses.slice(-10)).toEqual(Array.from({ length: 10 }, () => 429));
  const [wrong, right] = [await guess("another"), await guess("secret")];
  expect([right.status, right.code]).toEqual([429, wrong.code]);
  expect((await send("still here")).status).toBe(201);
  expect(peer.messages.map(({ body }) => body)).toEqual(["hi", "still here"]);
});
