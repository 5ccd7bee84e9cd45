/** What the metrics tell of what happened: the real app, the scripted peer. */

import { afterEach, describe, expect, test } from "bun:test";
import { codes } from "../../src/errors.ts";
import { statuses } from "../../src/http/problem.ts";
import { findFreePort } from "../support/free-port.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Metrics, readMetrics } from "../support/metrics.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { stanzaError } from "../support/peer/replies.ts";
import { eventually } from "../support/wait.ts";

const metrics = { metrics: { listen: "127.0.0.1:0" } };
let peer: Peer;
let gateway: Gateway;
afterEach(async () => {
  await gateway?.stop();
  await peer?.stop();
});

async function begin(behaviour: PeerOptions = {}, settings: GatewayOptions["settings"] = {}): Promise<void> {
  peer = await startPeer(behaviour);
  gateway = await startGateway({ hosts: hostOf(peer, { grace: "0s" }), settings: { ...metrics, ...settings } });
}

const send = async (body: string, user = "alice@example.com:secret", headers: Record<string, string> = {}) =>
  (await gateway.post("/msg/bob@example.com", body, { user, headers })).status;

describe("the metrics", () => {
  test("count requests by status and code, logins by mechanism, and the time to the acknowledgement", async () => {
    await begin();
    expect([await send("one"), await send("two"), await send("")]).toEqual([201, 201, 422]);
    expect(await send("x", "alice@example.com:wrong")).toBe(401);
    expect(await send("x", "alice@example.com:wrong")).toBe(401);
    const read = await readMetrics(gateway);
    expect(read.counted("post_msg_requests_total")).toEqual({
      'post_msg_requests_total{status="201",code="ok"}': 2,
      'post_msg_requests_total{status="422",code="empty_message"}': 1,
      'post_msg_requests_total{status="401",code="credentials_rejected"}': 2,
    });
    expect(read.counted("post_msg_logins_total")).toEqual({
      'post_msg_logins_total{kind="login",result="ok",mechanism="SCRAM-SHA-512"}': 1,
      'post_msg_logins_total{kind="proof",result="credentials_rejected",mechanism="SCRAM-SHA-512"}': 1,
    });
    expect(read.counted("post_msg_throttled_total")).toEqual({ 'post_msg_throttled_total{reason="remembered"}': 1 });
    expect(read.samples.get("post_msg_ack_seconds_count")).toBe(2);
    expect(read.counted("post_msg_sessions")).toEqual({ 'post_msg_sessions{state="idle"}': 1 });
    expect(read.text).toMatch(/^post_msg_build_info\{version="\d+\.\d+\.\d+",bun="\d[^"]*"\} 1$/m);
  });

  test("count bounces and late bounces by condition", async () => {
    const late = new Map<string, () => void>();
    await begin({
      bounce: ({ body }) => (body === "bad" ? { when: "before-ack", condition: "item-not-found" } : undefined),
      onStanza: (stanza, connection) => {
        const bounce = () => void connection.deliver(stanzaError(stanza, { condition: "service-unavailable" }));
        if (stanza.name === "message") late.set(stanza.attributes["id"] ?? "", bounce);
        return false;
      },
    });
    expect([await send("good"), await send("bad")]).toEqual([201, 404]);
    for (const bounce of [...late.values()].slice(0, 1)) bounce();
    await gateway.logged(({ msg }) => msg === "late refusal");
    const read = await readMetrics(gateway);
    expect(read.counted("post_msg_bounces_total")).toEqual({ 'post_msg_bounces_total{condition="item_not_found"}': 1 });
    expect(read.counted("post_msg_late_bounces_total")).toEqual({
      'post_msg_late_bounces_total{condition="service_unavailable"}': 1,
    });
  });

  test("count a lost connection, its resumption, and what waits meanwhile", async () => {
    let go = (_: string) => {};
    const held = new Promise<string>((resolve) => {
      go = resolve;
    });
    await begin({ fault: { at: "message", how: "reset", connection: 1 }, answers: { ack: () => held } });
    const sending = send("once");
    const during = await eventually(async () => {
      const read = await readMetrics(gateway);
      return read.counted("post_msg_resumes")['post_msg_resumes_total{result="resumed"}'] === 1 ? read : undefined;
    });
    expect(during.counted("post_msg_sessions")).toEqual({ 'post_msg_sessions{state="busy"}': 1 });
    expect(during.samples.get("post_msg_pending_messages")).toBe(1);
    expect(during.samples.get("post_msg_requests_in_flight")).toBe(1);
    expect(during.samples.get("post_msg_pending_bytes")).toBeGreaterThan(50);
    expect(during.counted("post_msg_connections_lost")).toEqual({
      'post_msg_connections_lost_total{code="stream_closed"}': 1,
    });
    expect(during.counted('post_msg_logins_total{kind="reconnect"')).toEqual({
      'post_msg_logins_total{kind="reconnect",result="ok",mechanism="SCRAM-SHA-512"}': 1,
    });
    go("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    expect(await sending).toBe(201);
    expect((await readMetrics(gateway)).samples.get("post_msg_pending_messages")).toBe(0);
  });

  test("count throttled callers, and logins at a server that is left alone", async () => {
    await begin({}, { throttle: { address_per_minute: 2, server_failures: 3, failure_delay: "0s" } });
    for (let number = 0; number < 3; number++) await send("x", `alice@example.com:wrong${number}`);
    const read = await readMetrics(gateway);
    expect(read.counted("post_msg_throttled_total")).toEqual({ 'post_msg_throttled_total{reason="throttled"}': 1 });
    await gateway.stop();
    await peer.stop();
    await begin({}, { throttle: { server_failures: 1, failure_delay: "0s" } });
    for (let number = 0; number < 2; number++) await send("x", `alice@example.com:wrong${number}`);
    expect((await readMetrics(gateway)).counted("post_msg_throttled_total")).toEqual({
      'post_msg_throttled_total{reason="logins_paused"}': 1,
    });
  });

  test("have no label that a caller can choose, and no address", async () => {
    await begin();
    const before = [...(await readMetrics(gateway)).samples.keys()];
    for (let number = 0; number < 30; number++) {
      const user = `user${number}@host${number}.example:secret`;
      await send("x", user, { "X-Request-Id": `id${number}`, "X-Forwarded-For": `192.0.2.${number}` });
      await gateway.post(`/odd${number}`, "x", { method: "PUT" });
      await gateway.post(`/msg/somebody${number}@example.com`, "x", { method: `ODD${number}`, user }).catch(() => {});
    }
    const read = await readMetrics(gateway);
    expect([...read.samples.keys()].filter((name) => !before.includes(name))).toEqual([]);
    expect(read.text).not.toMatch(/@|user\d|host\d|192\.0\.2\./);
  });
});

describe("the help", () => {
  /** What is neither good nor bad when it is high. */
  const toldOnly = ["post_msg_build_info", "process_start_time_seconds", "process_max_fds"];

  test("says of every metric what it is, and what to do when it is high", async () => {
    await begin();
    const { help, samples } = await readMetrics(gateway);
    const names = new Set(
      [...samples.keys()].map((name) => name.replace(/\{.*|_(bucket|sum|count)$|_(bucket)\{.*/, "")),
    );
    for (const name of names) expect(help.has(name.replace(/_(bucket|sum|count)$/, ""))).toBe(true);
    for (const [name, words] of help) {
      expect([name, words.length > 30]).toEqual([name, true]);
      // Then a colon, and behind it what to do.
      const advice = /(High|Many|Near|Growing|A rate near)[^:]*: .{15,}/.test(words);
      expect([name, advice]).toEqual([name, !toldOnly.includes(name)]);
    }
    for (const name of toldOnly) expect(help.has(name)).toBe(true);
  });

  test("stands beside a counter for every code from the start", async () => {
    await begin();
    const { samples }: Metrics = await readMetrics(gateway);
    for (const code of codes) {
      expect(samples.get(`post_msg_requests_total{status="${statuses[code]}",code="${code}"}`)).toBe(0);
    }
  });
});

describe("the listener", () => {
  test("has nothing but /metrics, and only for those who read", async () => {
    await begin();
    await readMetrics(gateway);
    const { url } = await gateway.logged(({ msg }) => msg === "metrics are served");
    const { origin } = new URL(`${url}`);
    const ask = async (path: string, method: string) => (await fetch(`${origin}${path}`, { method })).status;
    expect(await ask("/", "GET")).toBe(404);
    expect(await ask("/msg/bob", "POST")).toBe(404);
    expect(await ask("/metrics", "POST")).toBe(405);
    expect(await ask("/metrics?name=x", "HEAD")).toBe(200);
    const { headers } = await fetch(`${url}`);
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  test("is gone after a stop, and its address, when taken, is named and gives the other one back", async () => {
    const port = await findFreePort();
    peer = await startPeer();
    const settings = { metrics: { listen: `127.0.0.1:${port}` } };
    gateway = await startGateway({ hosts: hostOf(peer), settings });
    const second = startGateway({ hosts: hostOf(peer), settings });
    await expect(second).rejects.toThrow(`Could not listen on "127.0.0.1:${port}", as [metrics] listen says: `);
    await gateway.stop();
    gateway = await startGateway({ hosts: hostOf(peer), settings });
    expect((await readMetrics(gateway)).samples.size).toBeGreaterThan(20);
  });
});
