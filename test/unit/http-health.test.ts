/** What monitors and proxies ask without a login, and what is answered when too much is asked at once. */

import { describe, expect, test } from "bun:test";
import type { Receipt } from "../../src/message.ts";
import { type Gateway, startGateway } from "../support/http-gateway.ts";
import { openLane } from "../support/http-lanes.ts";

const receipt: Receipt = { id: "1", from: "alice@example.com", to: "bob@example.com", type: "chat" };

function ask({ origin }: Gateway, path: string, method = "GET"): Promise<Response> {
  return fetch(`${origin}${path}`, { method });
}

/** A gateway whose every message waits until `deliver` is called. */
async function startHeld(overrides: Parameters<typeof startGateway>[0] = {}) {
  const verdict = Promise.withResolvers<Receipt>();
  const asked = Promise.withResolvers<void>();
  const gateway = await startGateway({
    ...overrides,
    deliver: () => {
      asked.resolve();
      return verdict.promise;
    },
  });
  return { gateway, asked: asked.promise, deliver: () => verdict.resolve(receipt) };
}

describe("health", () => {
  test.each(["live", "ready"])("%s is asked without a login, and leaves no line in the log", async (what) => {
    await using gateway = await startGateway();
    const response = await ask(gateway, `/health/${what}`);
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
    expect(await response.json()).toEqual({ status: what });
    expect((await ask(gateway, `/health/${what}`, "HEAD")).status).toBe(200);
    expect(gateway.lines).toEqual([]);
  });

  test("is a problem for other paths and methods", async () => {
    await using gateway = await startGateway();
    for (const path of ["/health", "/health/", "/health/well"]) {
      const response = await ask(gateway, path);
      const detail = `There is nothing at "${path}"; "/health/live" and "/health/ready" can be asked.`;
      expect([response.status, await response.json()]).toMatchObject([404, { code: "no_such_path", detail }]);
    }
    const method = await ask(gateway, "/health/live", "POST");
    expect([method.status, method.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect(await method.json()).toMatchObject({ code: "method_not_allowed" });
  });

  test("is answered by nobody from the moment of a stop, unless the address may be taken over", async () => {
    const { gateway, asked, deliver } = await startHeld();
    const inFlight = gateway.post("/msg/bob", "hi");
    await asked;
    const stopped = gateway[Symbol.asyncDispose]();
    await expect(ask(gateway, "/health/live")).rejects.toThrow();
    deliver();
    expect((await inFlight).status).toBe(201);
    await stopped;
  });

  test("is live and not ready while what is in flight is finished, and each answer closes its connection", async () => {
    const { gateway, asked, deliver } = await startHeld({ reusePort: true });
    const inFlight = gateway.post("/msg/bob", "hi");
    await asked;
    const stopped = gateway[Symbol.asyncDispose]();
    const ready = await ask(gateway, "/health/ready");
    expect([ready.status, ready.headers.get("connection")]).toEqual([503, "close"]);
    expect(await ready.json()).toMatchObject({ code: "shutting_down", outcome: "not_sent" });
    expect((await ask(gateway, "/health/live")).status).toBe(200);
    deliver();
    const response = await inFlight;
    expect([response.status, response.headers.get("connection")]).toEqual([201, "close"]);
    await stopped;
  });
});

describe("max_in_flight", () => {
  test("refuses one more request at once, with 503; health and everything after it are answered", async () => {
    const { gateway, asked, deliver } = await startHeld({ maxInFlight: 1 });
    const first = gateway.post("/msg/bob", "hi");
    await asked;
    const second = await gateway.post("/msg/bob", "hi");
    expect([second.status, second.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await second.json()).toMatchObject({ code: "overloaded", outcome: "not_sent" });
    expect((await ask(gateway, "/health/ready")).status).toBe(200);
    deliver();
    expect((await first).status).toBe(201);
    expect((await gateway.post("/msg/bob", "hi")).status).toBe(201);
    await gateway[Symbol.asyncDispose]();
  });

  test("counts a request no longer that was refused", async () => {
    await using gateway = await startGateway({ maxInFlight: 1 });
    const lane = await openLane(gateway.port);
    for (let i = 0; i < 3; i++) expect((await lane.post("hi", { user: "nobody" })).status).toBe(401);
    expect((await lane.post("hi")).status).toBe(201);
    lane.close();
  });
});
