/** Hostile html through real servers: what arrives is harmless, and the rest of the message is what it was. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Gateway } from "../support/gateway.ts";
import { type RealGateway, startRealGateway } from "../support/real-gateway.ts";
import { realServers, startBob, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { findHarm } from "../support/xhtml-harm.ts";
import { xssTexts } from "../support/xss-texts.ts";

const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
const wrapper =
  /^<html xmlns='http:\/\/jabber\.org\/protocol\/xhtml-im'><body xmlns='http:\/\/www\.w3\.org\/1999\/xhtml'(?:\/>|>(.*)<\/body>)<\/html>$/s;

describe.each(realServers)("through %s", (_, startServer) => {
  let started: RealGateway<Receiver>;
  let gateway: Gateway;
  let bob: Receiver;
  beforeAll(async () => {
    started = await startRealGateway(() => startServer({ accounts }), startBob);
    ({ gateway, client: bob } = started);
  }, startTimeoutMs);
  afterAll(() => started?.stop(), startTimeoutMs);

  test("100 hostile strings and more arrive harmless, or are refused", async () => {
    let arrived = 0;
    for (const html of xssTexts) {
      const body = `the text of ${html}`;
      const response = await gateway.post("/msg/bob", JSON.stringify({ body, html }), {
        headers: { "Content-Type": "application/json" },
      });
      expect([html, [201, 400].includes(response.status)]).toEqual([html, true]);
      if (response.status === 400) continue;
      const message = await bob.nextMessage();
      expect(message.body).toBe(body);
      arrived += 1;
      if (message.html === undefined) continue;
      const fragment = wrapper.exec(message.html);
      expect([message.html, fragment]).not.toEqual([message.html, null]);
      expect(findHarm(fragment?.[1] ?? "")).toEqual([]);
    }
    expect(arrived).toBeGreaterThanOrEqual(100);
  });

  test("a message with html alone says the same in plain text", async () => {
    const html = "<h1>Disk</h1><p>is <b>full</b> on <a href='https://example.com/web1'>web1</a></p>";
    const data = new FormData();
    data.set("html", html);
    expect((await gateway.post("/msg/bob", data)).status).toBe(201);
    const message = await bob.nextMessage();
    expect(message.body).toBe("Disk\nis full on web1 <https://example.com/web1>");
    expect(message.html).toContain("<strong>full</strong>");
  });
});
