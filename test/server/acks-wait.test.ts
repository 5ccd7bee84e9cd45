/** `Prefer: wait=N` in front of real servers: the recipient's client confirms (XEP-0184), or it does not. */

import { expect, test } from "bun:test";
import { startGateway } from "../support/gateway.ts";
import { hostsOf, logInReceiver, realServers } from "../support/real-servers.ts";
import type { ReceivedMessage } from "../support/receiver.ts";

const names = ["alice", "bob", "mallory"];
const accounts = Object.fromEntries(names.map((name) => [`${name}@example.com`, "secret"]));

const receiptFor = ({ from, id }: ReceivedMessage) =>
  `<message to='${from}' id='r-${id}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`;

test.concurrent.each(realServers)(
  "behind %s: received when the recipient's client says so, accepted otherwise, whatever others say",
  async (_name, startServer) => {
    await using ending = new AsyncDisposableStack();
    const server = await startServer({ accounts });
    ending.defer(() => server.stop());
    const gateway = await startGateway({ hosts: hostsOf(server), settings: { http: { wait_max: "2s" } } });
    ending.defer(() => gateway.stop());
    const bob = await logInReceiver(server, "bob@example.com");
    ending.defer(() => bob.close());
    const mallory = await logInReceiver(server, "mallory@example.com");
    ending.defer(() => mallory.close());
    const post = (wait: number) => gateway.post("/msg/bob", "hi", { headers: { Prefer: `wait=${wait}` } });

    const startedMs = performance.now();
    const confirmed = post(60);
    const message = await bob.nextMessage();
    expect(message.raw).toContain("urn:xmpp:receipts");
    bob.send(receiptFor(message));
    const received = await confirmed;
    expect(received.status).toBe(201);
    expect(received.headers.get("preference-applied")).toBe("wait=2");
    expect(await received.json()).toMatchObject({ id: message.id, status: "received" });
    expect(performance.now() - startedMs).toBeLessThan(1_900);

    const silent = post(1);
    await bob.nextMessage();
    const accepted = await silent;
    expect(accepted.status).toBe(201);
    expect(accepted.headers.get("preference-applied")).toBe("wait=1");
    expect(await accepted.json()).toMatchObject({ status: "accepted" });

    const forged = post(1);
    mallory.send(receiptFor(await bob.nextMessage()));
    expect(await (await forged).json()).toMatchObject({ status: "accepted" });

    const refused = await gateway.post("/msg/nobody", "hi", { headers: { Prefer: "wait=1" } });
    expect(refused.status).toBe(404);
  },
  60_000,
);
