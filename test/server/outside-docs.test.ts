/** The documentation page in a real browser that can reach nothing but the gateway: the real program, a scripted peer. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Chromium, startChromium } from "../support/chromium.ts";
import { type Binary, startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";

const picture = join(import.meta.dir, "../../build/screenshots/docs.png");
const deadlineMs = 60_000;

let peer: Peer;
let gateway: Binary;
let chromium: Chromium;
beforeAll(async () => {
  peer = await startPeer();
  gateway = await startBinary({ hosts: hostOf(peer, { grace: "0s" }) });
  chromium = await startChromium([]);
}, deadlineMs);
afterAll(async () => {
  await chromium?.stop();
  await gateway?.stop();
  await peer?.stop();
}, deadlineMs);

/** What the scripts below share; they wait for React with a deadline of their own. */
const helpers = `
  window.until = async (find, what) => {
    const endsAt = performance.now() + 15_000;
    for (;;) {
      const found = find();
      if (found) return found;
      if (performance.now() > endsAt) throw new Error("Waited in vain for " + what + ".");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  window.one = (selector) => until(() => document.querySelector(selector), selector);
  window.type = async (selector, text) => {
    const element = await one(selector);
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), "value").set.call(element, text);
    for (const name of ["input", "change"]) element.dispatchEvent(new Event(name, { bubbles: true }));
  };
  true`;

test(
  "a message is sent from /docs, with no internet, no complaint in the console and no request to anybody else",
  async () => {
    const { origin } = new URL(gateway.url);
    const page = await chromium.openPage();
    await page.open(`${origin}/docs`);
    await page.run(helpers);
    await page.run(`(async () => {
      (await one("button.authorize")).click();
      await type(".modal-ux input[name=username]", "alice@example.com");
      await type(".modal-ux input[name=password]", "secret");
      (await one(".modal-ux button.authorize")).click();
      (await one(".modal-ux button.btn-done")).click();
    })()`);
    await page.run(`(async () => {
      (await one("#operations-messages-sendTo .opblock-summary-control")).click();
      await type("#operations-messages-sendTo tr[data-param-name=recipient] input", "bob@example.com");
      await type("#operations-messages-sendTo .body-param textarea", "sent from a browser");
      (await one("#operations-messages-sendTo button.execute")).click();
    })()`);
    const status = await page.run(`(async () => {
      const row = await one("#operations-messages-sendTo .live-responses-table tbody td.response-col_status");
      return row.textContent.trim();
    })()`);
    expect(status).toStartWith("201");
    expect(await peer.message()).toMatchObject({ to: "bob@example.com", body: "sent from a browser", type: "chat" });

    await Bun.write(picture, await page.screenshot());
    expect(page.complaints).toEqual([]);
    const elsewhere = page.requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith("data:"));
    expect(elsewhere).toEqual([]);
    expect(page.requests).toContain(`${origin}/openapi.json`);
    expect(page.requests).toContain(`${origin}/msg/bob%40example.com`);
  },
  deadlineMs,
);

test("the page's policy keeps scripts, styles and pictures from elsewhere out, and strangers' frames", async () => {
  const { origin } = new URL(gateway.url);
  const page = await chromium.openPage();
  await page.open(`${origin}/docs`);
  const tries = `Promise.all([
    new Promise((resolve) => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      resolve(window.injected ?? "kept out");
    }),
    fetch("http://127.0.0.1:1/").then(() => "let out", (error) => error.name),
  ])`;
  expect(await page.run(tries)).toEqual(["kept out", "TypeError"]);
  expect(page.complaints.filter((each) => each.includes("Content Security Policy")).length).toBeGreaterThanOrEqual(2);
  const { headers } = await fetch(`${origin}/docs`);
  expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  expect(headers.get("content-security-policy")).not.toMatch(/unsafe|\*|https?:/);
});
