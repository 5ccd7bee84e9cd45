/** The status table: what is judged before a login, and without one. The real app in front of the scripted peer. */

import { describe, expect, test } from "bun:test";
import { startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { expectProblem } from "../support/gateway-problem.ts";
import { startPeer } from "../support/peer/peer.ts";

describe("the sender's account", () => {
  test("is a 401 with the same body, whether it does not exist or the password is wrong", async () => {
    const peer = await startPeer();
    await using gateway = await startGateway({ hosts: hostOf(peer) });
    const bodies: unknown[] = [];
    for (const user of ["alice@example.com:wrong", "nobody@example.com:secret"]) {
      const response = await gateway.post("/msg/bob@example.com", "hi", { user });
      const { request_id: _, ...body } = await expectProblem(response, 401, "credentials_rejected");
      expect(response.headers.get("www-authenticate")).toBe('Basic realm="post-msg", charset="UTF-8"');
      bodies.push(body);
    }
    expect(bodies[0]).toEqual(bodies[1]);
    await peer.stop();
  });

  test("is a 403 without one connection where its domain is no allowed host", async () => {
    const peer = await startPeer();
    await using gateway = await startGateway({ hosts: hostOf(peer) });
    const senders = ["eve@example.net", "eve@sub.example.com", "eve@127.0.0.1", "eve@example.com.example.net"];
    for (const sender of senders) {
      const response = await gateway.post("/msg/bob@example.com", "hi", { user: `${sender}:secret` });
      await expectProblem(response, 403, "host_not_allowed");
    }
    expect(peer.connections.length).toBe(0);
    await peer.stop();
  });

  test("is not logged in for a recipient that is not allowed: 403", async () => {
    const peer = await startPeer();
    await using gateway = await startGateway({ hosts: hostOf(peer, { recipients: ["bob@example.com"] }) });
    await expectProblem(await gateway.post("/msg/carol@example.com", "hi"), 403, "recipient_not_allowed");
    expect(peer.connections.length).toBe(0);
    expect((await gateway.post("/msg/bob@example.com/phone", "hi")).status).toBe(201);
    await peer.stop();
  });
});

test("a stanza over what XMPP servers take is a 413 before any login", async () => {
  const peer = await startPeer();
  await using gateway = await startGateway({ hosts: hostOf(peer) });
  // Each of these takes five bytes in XML.
  await expectProblem(await gateway.post("/msg/bob@example.com", "&".repeat(60_000)), 413, "stanza_too_large");
  expect(peer.connections.length).toBe(0);
  await peer.stop();
});

test("a message is a 503 with Retry-After while every session is busy", async () => {
  const acknowledge = Promise.withResolvers<void>();
  const peer = await startPeer({
    accounts: { "alice@example.com": "secret", "carol@example.com": "secret" },
    ackPolicy: (handled) => acknowledge.promise.then(() => handled),
  });
  await using gateway = await startGateway({ hosts: hostOf(peer), settings: { sessions: { max: 1 } } });
  const first = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  const refused = await gateway.post("/msg/bob@example.com", "hi", { user: "carol@example.com:secret" });
  await expectProblem(refused, 503, "overloaded");
  acknowledge.resolve();
  expect((await first).status).toBe(201);
  expect((await gateway.post("/msg/bob@example.com", "hi", { user: "carol@example.com:secret" })).status).toBe(201);
  await peer.stop();
});

test("the authority of one host does not vouch for another host's server", async () => {
  const [first, second] = await Promise.all([
    startPeer(),
    startPeer({ domain: "example.org", accounts: { "alice@example.org": "secret" } }),
  ]);
  const theirs = await first.authority.issue({ dnsNames: ["example.org"] });
  const user = "alice@example.org:secret";
  await using gateway = await startGateway({ hosts: { ...hostOf(first), ...hostOf(second) } });
  expect((await gateway.post("/msg/bob@example.org", "hi", { user })).status).toBe(201);
  second.change({ certificate: theirs });
  second.dropAll();
  await gateway.logged(({ msg }) => msg === "session ended");
  await expectProblem(await gateway.post("/msg/bob@example.org", "hi", { user }), 502, "certificate_untrusted");
  expect((await gateway.post("/msg/bob@example.org", "hi")).status).toBe(201);
  await Promise.all([first.stop(), second.stop()]);
});
