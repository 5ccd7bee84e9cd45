/**
 * A real browser that remembers a login at the gateway, on pages of other sites that try to send messages with it. That
 * each of the ways works where the page's origin is allowed shows that the refusal, and not the browser, is what holds.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { runToEnd } from "../support/child-process.ts";
import { type Chromium, type Page, startChromium } from "../support/chromium.ts";
import { type Gateway, startGateway } from "../support/http-gateway.ts";
import { eventually } from "../support/wait.ts";

setDefaultTimeout(180_000);

const deadlineMs = 60_000;

/** Chromium sends Sec-Fetch-Site to loopback addresses; to other names over plain HTTP, only Origin. */
const ours = { "with Fetch Metadata": "127.0.0.1", "with Origin alone": "gw.test" } as const;
const foreign = "evil.test";

/** Scripts for a page, each of which posts to `url` with what the browser remembers. `wanted`: the message's text. */
const ways: readonly (readonly [name: string, script: (url: string) => string, wanted: RegExp])[] = [
  ["a form", (url) => submit(url, "application/x-www-form-urlencoded"), /^attack$/],
  ["a form of plain text", (url) => submit(url, "text/plain"), /^body=attack\r?\n?$/],
  ["a multipart form", (url) => submit(url, "multipart/form-data"), /^attack$/],
  ["a form in a frame", (url) => submit(url, "text/plain", "frame"), /^body=attack\r?\n?$/],
  ["fetch in no-cors mode", (url) => `void fetch("${url}", { ...${simple}, mode: "no-cors" })`, /^attack$/],
  ["fetch", (url) => `void fetch("${url}", ${simple}).catch(() => {})`, /^attack$/],
  ["sendBeacon", (url) => `navigator.sendBeacon("${url}", "attack")`, /^attack$/],
];
const simple = `{ method: "POST", body: "attack", credentials: "include" }`;

function submit(url: string, type: string, target = "_self"): string {
  const form = `<form action="${url}" method="post" enctype="${type}" target="${target}"><input name="body" value="attack"></form>`;
  return `document.body.innerHTML = \`${form}<iframe name="frame"></iframe>\`; setTimeout(() => document.forms[0].submit())`;
}

let chromium: Chromium;
let site: ReturnType<typeof startSite>;
beforeAll(async () => {
  site = startSite();
  chromium = await startChromium(["gw.test", foreign]);
});
afterAll(async () => {
  await chromium?.stop();
  await site?.stop(true);
});

/** Whoever else has a site: an empty page at every path. */
function startSite() {
  const headers = { "Content-Type": "text/html" };
  return Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("<body></body>", { headers }) });
}

/** A page whose browser remembers alice's login at the gateway, as after the first message that she sent there herself. */
async function logIn(gateway: Gateway, host: string): Promise<Page> {
  const page = await chromium.openPage();
  await page.open(`http://${host}:${gateway.port}/health/live`);
  const send = (text: string) =>
    page.run(`fetch("/msg/bob", { method: "POST", body: "${text}" }).then(({ status }) => status)`);
  expect(await page.withLogin("alice@example.com", "secret", () => send("first"))).toBe(201);
  expect(await send("remembered")).toBe(201);
  expect(gateway.deliveries.map(({ message: { body } }) => body)).toEqual(["first", "remembered"]);
  return page;
}

describe.each(Object.entries(ours))("a browser that speaks %s", (_, host) => {
  const pages = { "another site": `http://${foreign}`, "the same site on another port": `http://${host}` };

  test.each(Object.entries(pages))("sends nothing from a page of %s", async (_, origin) => {
    await using gateway = await startGateway();
    const page = await logIn(gateway, host);
    for (const [name, script] of ways) {
      const lines = gateway.lines.length;
      await page.open(`${origin}:${site.port}/`);
      await page.run(script(`http://${host}:${gateway.port}/msg/bob`));
      await eventually(() => gateway.lines.length > lines, deadlineMs, `${name} to arrive`);
      const said = gateway.lines.slice(lines).map(({ status, failure }) => `${name}: ${status} ${failure?.code}`);
      expect(said).toEqual([`${name}: 403 cross_site`]);
    }
    expect(gateway.deliveries).toHaveLength(2);
    await page.close();
  });

  test.each(Object.entries(pages))("sends from a page of %s whose origin is allowed", async (_, origin) => {
    await using gateway = await startGateway({ allowedOrigins: [`${origin}:${site.port}`] });
    const page = await logIn(gateway, host);
    // From another site, Chromium itself sends a remembered login only where the page gives way to the answer.
    const navigating = ["a form", "a form of plain text", "a multipart form"];
    const working = ways.filter(([name]) => navigating.includes(name) || origin === `http://${host}`);
    for (const [name, script, wanted] of working) {
      const before = gateway.deliveries.length;
      await page.open(`${origin}:${site.port}/`);
      await page.run(script(`http://${host}:${gateway.port}/msg/bob`));
      await eventually(() => gateway.deliveries.length > before, deadlineMs, `${name} to arrive`);
      expect(gateway.deliveries.at(-1)?.message.body).toMatch(wanted);
    }
    await page.close();
  });

  test("lets an allowed origin's page send with credentials of its own and read what came of it", async () => {
    const origin = `http://${foreign}:${site.port}`;
    await using gateway = await startGateway({ allowedOrigins: [origin] });
    const page = await chromium.openPage();
    await page.open(`${origin}/`);
    const send = (password: string) =>
      page.run(`
        fetch("http://${host}:${gateway.port}/msg/bob", {
          method: "POST",
          headers: { Authorization: "Basic " + btoa("alice@example.com:${password}"), "Content-Type": "application/json" },
          body: JSON.stringify({ body: "hello" }),
        }).then(async (response) => [response.status, (await response.json()).to, response.headers.get("x-request-id")])`);
    expect(await send("secret")).toEqual([201, "bob@example.com", expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(gateway.lines.map(({ method, status }) => `${method} ${status}`)).toEqual(["OPTIONS 204", "POST 201"]);
    await page.open(`http://127.0.0.1:${site.port}/`);
    await expect(send("secret")).rejects.toThrow("Failed to fetch");
    await page.close();
  });
});

test("curl is not concerned", async () => {
  await using gateway = await startGateway();
  const curl = (...more: string[]) =>
    runToEnd(["curl", "-s", "-u", "alice@example.com:secret", ...more, `http://127.0.0.1:${gateway.port}/msg/bob`]);
  await curl("-d", "load=5 high");
  await curl("-F", "body=build 17 is red");
  await curl("-H", "Content-Type: text/plain", "-d", "down");
  const bodies = gateway.deliveries.map(({ message: { body } }) => body);
  expect(bodies).toEqual(["load=5 high", "build 17 is red", "down"]);
});
