/** Real servers that are killed and come back: no message is claimed to be sent that was not. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostsOf, realServers, type Server, startBob, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { eventually } from "../support/wait.ts";

const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };

describe.each(realServers)("%s", (_, startServer) => {
  let server: Server;
  let gateway: Gateway;
  let bob: Receiver;
  beforeAll(async () => {
    server = await startServer({ accounts });
    // ejabberd writes to its disk some seconds later, or when it is shut down; a kill would take the new accounts along.
    if (server.kind === "ejabberd") await server.restart();
    gateway = await startGateway({ hosts: hostsOf(server) });
    bob = await startBob(server);
  }, startTimeoutMs);
  afterAll(async () => {
    await bob?.close();
    await gateway?.stop();
    await server?.stop();
  }, startTimeoutMs);

  /** As a caller should: after a 503, again when Retry-After says so. */
  async function postPatiently(body: string): Promise<Response> {
    const response = await gateway.post("/msg/bob", body);
    if (response.status !== 503) return response;
    await Bun.sleep(Number(response.headers.get("retry-after")) * 1000);
    return gateway.post("/msg/bob", body);
  }

  test("killed and started again under traffic, every 201 is a message that arrived once, and no 503 is", async () => {
    const told: { readonly body: string; readonly status: number; readonly outcome: unknown }[] = [];
    let enough = false;
    const traffic = (async () => {
      while (!enough) {
        const body = `traffic ${told.length}`;
        const response = await gateway.post("/msg/bob", body);
        const reply: unknown = await response.json();
        const outcome = typeof reply === "object" && reply !== null && "outcome" in reply ? reply.outcome : undefined;
        told.push({ body, status: response.status, outcome });
      }
    })();
    const sent = () => told.filter(({ status }) => status === 201).map(({ body }) => body);
    const received: (string | undefined)[] = [];
    try {
      await bob.received(({ raw }) => raw.includes("traffic 20"));
      await server.kill();
      await bob.closed;
      received.push(...bob.waiting.map(({ body }) => body));
      const before = sent().length;
      await server.start();
      bob = await startBob(server);
      await eventually(() => sent().length > before + 20, 20_000, "more messages to be sent");
    } finally {
      enough = true;
      await traffic;
    }
    const last = sent().at(-1);
    while (received.at(-1) !== last) received.push((await bob.nextMessage()).body);

    expect(received).toEqual([...new Set(received)]);
    expect(sent().filter((body) => !received.includes(body))).toEqual([]);
    const others = told.filter(({ status }) => status !== 201);
    for (const { body, status, outcome } of others) {
      expect(["503 not_sent", "504 unknown"]).toContain(`${status} ${outcome}`);
      if (status === 503) expect(received).not.toContain(body);
    }
  }, 60_000);

  test("killed, it is a 503 with Retry-After; started again, a 201 over a new login; nothing else arrives", async () => {
    expect((await gateway.post("/msg/bob", "before")).status).toBe(201);
    expect((await bob.nextMessage()).body).toBe("before");

    await server.kill();
    for (const body of ["down at once", "still down"]) {
      const response = await gateway.post("/msg/bob", body);
      expect([response.status, await response.json()]).toMatchObject([503, { outcome: "not_sent" }]);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    await server.start();
    bob = await startBob(server);
    expect((await postPatiently("after")).status).toBe(201);
    expect((await bob.nextMessage()).body).toBe("after");

    await server.kill();
    await server.start();
    bob = await startBob(server);
    expect((await postPatiently("after the second")).status).toBe(201);
    expect((await bob.nextMessage()).body).toBe("after the second");
    expect(bob.waiting).toEqual([]);
  }, 30_000);
});
