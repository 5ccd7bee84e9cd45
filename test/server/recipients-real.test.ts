/** One call for many recipients, through real servers: nobody is lost among them. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Gateway } from "../support/gateway.ts";
import { type RealGateway, startRealGateway } from "../support/real-gateway.ts";
import { realServers, startBob, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { eventually } from "../support/wait.ts";

const json = { "Content-Type": "application/json" };
const good = Array.from({ length: 97 }, (_, number) => `bob@example.com/${number}`);
const bad = ["nobody@example.com", "a@b@c", "bob@unreachable.example"];

describe.each(realServers)("in front of %s", (_name, startServer) => {
  let started: RealGateway<Receiver>;
  let gateway: Gateway;
  let bob: Receiver;
  beforeAll(async () => {
    const accounts = { "alice@example.com": "secret", "bob@example.com": "secret", "carol@example.com": "secret" };
    started = await startRealGateway(() => startServer({ accounts }), startBob, {
      settings: { aliases: { oncall: ["bob@example.com", "carol@example.com"] } },
    });
    ({ gateway, client: bob } = started);
  }, startTimeoutMs);
  afterAll(() => started?.stop(), startTimeoutMs);

  const post = async (to: readonly string[]) => {
    const response = await gateway.post("/msg/", JSON.stringify({ to, body: "all of you" }), { headers: json });
    const { results } = (await response.json()) as {
      results: readonly { to: string; status: number; code?: string }[];
    };
    return { status: response.status, results };
  };

  test(
    "3 bad ones among 100 recipients come back as exactly those 3, and the 97 others get the message",
    async () => {
      const before = bob.waiting.length;
      const [first = "", second = "", third = ""] = bad;
      const { status, results } = await post([first, ...good.slice(0, 50), second, ...good.slice(50), third]);
      expect(status).toBe(207);
      expect(results).toHaveLength(100);
      const refused = results.filter((result) => result.status !== 201);
      expect(refused.map(({ to, status, code }) => [to, status, code])).toEqual([
        ["nobody@example.com", 404, "service_unavailable"],
        ["a@b@c", 422, "bad_recipient"],
        ["bob@unreachable.example", expect.any(Number), expect.any(String)],
      ]);
      // A resource that is not there leads to the account's client (RFC 6121 section 8.5.3.2).
      await eventually(() => bob.waiting.length - before >= 97, 5_000, "97 messages");
      expect(bob.waiting.length - before).toBe(97);
    },
    startTimeoutMs,
  );

  test(
    "an alias of the configuration reaches all its members",
    async () => {
      const response = await gateway.post("/msg/@oncall", "the disk is full");
      expect(response.status).toBe(201);
      expect(await response.json()).toMatchObject({
        results: [{ to: "bob@example.com" }, { to: "carol@example.com" }],
      });
      await eventually(() => bob.waiting.some(({ body }) => body === "the disk is full"), 5_000, "the message");
    },
    startTimeoutMs,
  );
});
