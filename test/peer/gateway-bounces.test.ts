/** The status table: what becomes of the stanza errors of the XMPP side. The real app in front of the scripted peer. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Code } from "../../src/errors.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { expectProblem } from "../support/gateway-problem.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

/** RFC 6120 section 8.3.3 and payment-required. */
const bounces: readonly (readonly [status: number, condition: string, statusWithWait?: number])[] = [
  [403, "forbidden"],
  [403, "not-allowed"],
  [403, "payment-required"],
  [403, "policy-violation"],
  [403, "registration-required"],
  [403, "subscription-required"],
  [404, "gone"],
  [404, "item-not-found"],
  [404, "recipient-unavailable"],
  [404, "service-unavailable"],
  [409, "conflict"],
  [422, "bad-request"],
  [422, "jid-malformed"],
  [422, "not-acceptable"],
  [502, "feature-not-implemented", 503],
  [502, "internal-server-error", 503],
  [502, "not-authorized", 503],
  [502, "redirect", 503],
  [502, "remote-server-not-found", 503],
  [502, "undefined-condition", 503],
  [502, "unexpected-request", 503],
  [502, "a-condition-of-tomorrow", 503],
  [503, "resource-constraint"],
  [504, "remote-server-timeout"],
];

describe("a message that the server bounces before it acknowledges", () => {
  let peer: Peer;
  let gateway: Gateway;
  beforeAll(async () => {
    peer = await startPeer();
    gateway = await startGateway({ hosts: hostOf(peer) });
  });
  afterAll(async () => {
    await gateway.stop();
    await peer.stop();
  });

  const post = async (condition: string, type: "cancel" | "wait", from?: string): Promise<Response> => {
    const text = "the server's own words";
    const bounce = { when: "before-ack", condition, type, text, ...(from === undefined ? {} : { from }) } as const;
    peer.change({ bounce: () => bounce });
    const response = await gateway.post("/msg/bob@example.com", "hi");
    expect(await response.clone().text()).not.toContain(text);
    return response;
  };
  const codeOf = (condition: string): Code =>
    condition.startsWith("a-") ? "undefined_condition" : (condition.replaceAll("-", "_") as Code);

  test.each(bounces)("is a %d: %s", async (status, condition) => {
    await expectProblem(await post(condition, "cancel"), status, codeOf(condition));
  });

  test.each(bounces.filter(([status]) => status === 502))(
    "is not a %d but a 503 with Retry-After where the server says wait: %s",
    async (_, condition) => {
      await expectProblem(await post(condition, "wait"), 503, "temporarily_refused");
    },
  );

  test.each(bounces.filter(([status]) => status !== 502))(
    "stays a %d where the server says wait: %s",
    async (status, condition) => {
      await expectProblem(await post(condition, "wait"), status, codeOf(condition));
    },
  );

  test("counts also when the sender's own server says it, in its own name or in none", async () => {
    await expectProblem(await post("item-not-found", "cancel", "example.com"), 404, "item_not_found");
    await expectProblem(await post("item-not-found", "cancel", ""), 404, "item_not_found");
  });

  test("does not count when somebody else says it", async () => {
    expect((await post("item-not-found", "cancel", "eve@example.net")).status).toBe(201);
  });

  test("leaves the session to the next message", async () => {
    peer.change({ bounce: undefined });
    expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
    expect(peer.connections.length).toBe(1);
  });
});
