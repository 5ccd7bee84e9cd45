/** Several recipients of one request, against the scripted peer. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

const count = 100;

let peer: Peer;
let gateway: Gateway;
beforeEach(async () => {
  peer = await startPeer();
  gateway = await startGateway({ hosts: hostOf(peer, { grace: "0s" }) });
});
afterEach(async () => {
  await gateway.stop();
  await peer.stop();
});

const names = Array.from({ length: count }, (_, number) => `user${number}`);

test("nobody waits for another: all messages are on their way before the first is acknowledged", async () => {
  const last = `user${count - 1}@example.com`;
  const firstAcknowledged = Promise.withResolvers<number>();
  peer.change({
    ackPolicy: async (handled) => {
      await peer.received(({ attributes }) => attributes["to"] === last);
      firstAcknowledged.resolve(peer.messages.length);
      return handled;
    },
  });
  const response = await gateway.post(`/msg/${names.join(",")}`, "hi");
  expect(response.status).toBe(201);
  // So few had been handled when the last one was there already.
  expect(await firstAcknowledged.promise).toBeLessThan(count);
  expect(peer.messages).toHaveLength(count);
  expect(peer.connectionCount).toBe(1);
});

test("a refused one does not keep the others", async () => {
  peer.change({
    bounce: ({ to }) => (to.startsWith("user5@") ? { when: "before-ack", condition: "item-not-found" } : undefined),
  });
  const response = await gateway.post(`/msg/${names.slice(0, 10).join(",")}`, "hi");
  const { results } = (await response.json()) as { results: readonly { readonly status: number }[] };
  expect(response.status).toBe(207);
  expect(results.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 404, 201, 201, 201, 201]);
});

test("a login that fails is one login, and its answer that of the whole request", async () => {
  const response = await gateway.post(`/msg/${names.join(",")}`, "hi", { user: "alice@example.com:wrong" });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toInclude("Basic");
  expect(await response.json()).toMatchObject({ code: "credentials_rejected", results: expect.any(Array) });
  expect(peer.connectionCount).toBe(1);
});
