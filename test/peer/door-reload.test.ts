/** Another configuration while the real app runs: hosts that are reached another way, and what the requests meet. */

import { afterEach, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

const owned: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

async function givenPeer(domain: string): Promise<Peer> {
  const peer = await startPeer({ domain, accounts: { [`alice@${domain}`]: "secret" } });
  owned.push(peer.stop);
  return peer;
}

async function given(hosts: Parameters<typeof startGateway>[0]["hosts"]): Promise<Gateway> {
  const gateway = await startGateway({ hosts });
  owned.push(gateway.stop);
  return gateway;
}

async function send(gateway: Gateway, domain: string): Promise<string> {
  const response = await gateway.post("/msg/bob@example.com", "hi", { user: `alice@${domain}:secret` });
  return [response.status, ...(/"code":"(\w+)"/.exec(await response.text())?.slice(1) ?? [])].join(" ");
}

test("a host that is reached another way has its next session there, and others keep theirs", async () => {
  const [old, fresh, other] = await Promise.all(["example.com", "example.com", "example.org"].map(givenPeer));
  if (!old || !fresh || !other) throw new Error("There are three.");
  const gateway = await given({ ...hostOf(old), ...hostOf(other) });
  expect([await send(gateway, "example.com"), await send(gateway, "example.org")]).toEqual(["201", "201"]);

  await gateway.reload({ hosts: { ...hostOf(fresh), ...hostOf(other) } });
  await old.settled(0);
  expect([await send(gateway, "example.com"), await send(gateway, "example.org")]).toEqual(["201", "201"]);
  expect([old.connectionCount, fresh.connectionCount, other.connectionCount]).toEqual([1, 1, 1]);
});

test("what is on its way through a host that is removed gets its answer first", async () => {
  const [kept, gone] = await Promise.all(["example.com", "example.org"].map(givenPeer));
  if (!kept || !gone) throw new Error("There are two.");
  const gateway = await given({ ...hostOf(kept), ...hostOf(gone) });
  expect(await send(gateway, "example.org")).toBe("201");
  const verdict = Promise.withResolvers<void>();
  gone.change({ ackPolicy: (handled) => verdict.promise.then(() => handled) });
  const underWay = send(gateway, "example.org");
  await gone.message(() => gone.messages.length === 2);
  await gateway.reload({ hosts: hostOf(kept) });
  expect(await send(gateway, "example.org")).toBe("403 host_not_allowed");
  verdict.resolve();
  expect(await underWay).toBe("201");
  await gone.settled(0);
});

test("a host whose recipients or limits alone have changed keeps its sessions", async () => {
  const peer = await givenPeer("example.com");
  const gateway = await given(hostOf(peer));
  expect(await send(gateway, "example.com")).toBe("201");
  await gateway.reload({ hosts: hostOf(peer, { recipients: ["carol@example.com"], max_stanza: "10000B" }) });
  expect(await send(gateway, "example.com")).toBe("403 recipient_not_allowed");
  await gateway.reload({ hosts: hostOf(peer), settings: { http: { path: "/gateway" } } });
  expect(await send(gateway, "example.com")).toBe("404 no_such_path");
  expect([peer.openCount, peer.connectionCount]).toEqual([1, 1]);
});
