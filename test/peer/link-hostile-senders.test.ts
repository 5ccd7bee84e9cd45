/** A sender's address makes nothing be asked of DNS or connected to but what the settings allow. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { hostileSenders } from "../support/hostile-senders.ts";
import { startWatchedGateway, usualQueries, type WatchedGateway } from "../support/watched-gateway.ts";

let watched: WatchedGateway;

beforeAll(async () => {
  watched = await startWatchedGateway();
});
beforeEach(() => watched.begin());
afterEach(() => watched.check());
afterAll(() => watched.stop());

describe("a hostile sender", () => {
  beforeEach(() => {
    watched.dns.change(watched.zone);
  });

  test("comes in more than 200 kinds", () => {
    expect(hostileSenders.length).toBeGreaterThan(200);
  });

  test.each(hostileSenders.map((sender) => [JSON.stringify(sender), sender] as const))("%s", async (_name, sender) => {
    const answer = await watched.post(sender);
    expect([401, 403]).toContain(Number(answer["status"]));
    expect(answer["code"]).toMatch(/^(credentials_missing|credentials_unusable|host_not_allowed)$/);
    expect(answer["outcome"]).toBe("not_sent");
    expect(watched.queries()).toEqual([]);
    expect(watched.connections()).toEqual([]);
  });

  test.each(["ALICE@EXAMPLE.COM", "alice@example.com.", "alice@ＥＸＡＭＰＬＥ.com", "alice@example。com"])(
    "does not lead astray by another spelling of an allowed host: %s",
    async (sender) => {
      const answer = await watched.post(sender);
      expect(Number(answer["status"])).toBe(201);
      for (const query of watched.queries()) expect(usualQueries).toContain(query);
      for (const address of watched.connections()) expect(address).toBe(`127.0.0.1:${watched.peer.port}`);
    },
  );

  test.each(["evil.example", "example.com.evil.example", "example.com@evil.example", "[::1]", "127.0.0.1:25"])(
    "gains nothing by the Host %s",
    async (host) => {
      for (const sender of ["alice", "alice@evil.example"])
        await watched.post(sender, { Host: host, "X-Forwarded-Host": host });
      for (const query of watched.queries()) expect(query).toEndWith("example.com");
      for (const address of watched.connections()) expect(address).toBe(`127.0.0.1:${watched.peer.port}`);
    },
  );
});
