/**
 * Malformed, ambiguous and smuggled requests over raw sockets, directly and behind real proxies: none is taken for
 * something that it is not, none makes a second request, and whoever comes next is served as if nothing had been.
 */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { type FrontProxy, type FrontProxyKind, startFrontProxy } from "../support/front-proxy.ts";
import { alice, type Gateway, startGateway } from "../support/http-gateway.ts";
import { type OddRequest, oddRequests } from "../support/odd-requests.ts";
import { within } from "../support/wait.ts";

setDefaultTimeout(30_000);

const deadlineMs = 15_000;
const next = "bob@example.com: next";

function goodRequest(text: string): string {
  const head = ["POST /msg/bob HTTP/1.1", "Host: gw", `Authorization: ${alice}`, "Connection: close"];
  return `${head.join("\r\n")}\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

/** What comes back until the connection is closed; whoever has answered and not closed it is sent a good request more. */
async function exchange(port: number, { bytes, isCut }: Pick<OddRequest, "bytes" | "isCut">): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  let answered = false;
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => {}); // A reset is one way to refuse.
  socket.on("data", (data) => {
    received += data.toString("latin1");
    if (answered || !isWhole(received)) return;
    answered = true;
    if (!isCut) socket.write(goodRequest("next"));
  });
  socket.write(Buffer.from(bytes, "latin1"));
  if (isCut) socket.end();
  await within(deadlineMs, `the connection to be closed; so far it said: ${received}`, closed).finally(() => {
    socket.destroy();
  });
  return received;
}

/** Whether the first final answer is there with all of its body. */
function isWhole(received: string): boolean {
  const rest = received.replace(/^(?:HTTP\/1\.1 1\d\d .*\r\n(?:.+\r\n)*\r\n)+/, "");
  const end = rest.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const body = rest.slice(end + 4);
  const head = rest.slice(0, end);
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return body.endsWith("0\r\n\r\n");
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  return length !== undefined && body.length >= Number(length);
}

function statusesOf(received: string): number[] {
  return Array.from(received.matchAll(/HTTP\/1\.[01] ([2-5]\d\d)/g), ([, status]) => Number(status));
}

describe.each(["directly", "HAProxy", "nginx", "Caddy"] as const)("%s:", (way: "directly" | FrontProxyKind) => {
  let gateway: Gateway;
  let proxy: FrontProxy | undefined;
  let port: number;
  beforeAll(async () => {
    gateway = await startGateway();
    if (way !== "directly") proxy = await startFrontProxy(way, gateway.port);
    port = proxy?.port ?? gateway.port;
  });
  afterAll(async () => {
    await proxy?.stop();
    await gateway?.[Symbol.asyncDispose]();
  });

  test.each(oddRequests.map((odd) => [odd.name, odd] as const))("%s", async (_, odd) => {
    const [deliveries, lines] = [gateway.deliveries.length, gateway.lines.length];
    const statuses = statusesOf(await exchange(port, odd));
    const asked = gateway.lines.length - lines;
    expect(statusesOf(await exchange(port, { bytes: goodRequest("victim") }))).toEqual([201]);

    const all = gateway.deliveries.slice(deliveries).map(({ message: { to, body } }) => `${to.bare}: ${body}`);
    const messages = all.filter((message) => message !== next);
    expect(messages.pop()).toBe("bob@example.com: victim");
    const hasNext = all.includes(next) ? 1 : 0;
    const reading = odd.text === undefined ? [] : [`bob@example.com: ${odd.text.replaceAll("\r\n", "\n")}`];
    if (way === "directly") {
      expect(statuses[0] ?? "closed").toBe(odd.status);
      expect(messages).toEqual(odd.status === 201 ? reading : []);
      expect(asked - hasNext).toBeLessThanOrEqual(1);
    } else if (odd.mayBeTwo && messages.length > 0) {
      expect(messages).toEqual(["evil@example.com: SMUGGLED"]);
      expect(statuses).toHaveLength(asked);
    } else {
      expect([[], reading]).toContainEqual(messages);
      expect(asked - hasNext).toBeLessThanOrEqual(1);
    }
  });
});

test("there are enough of them, each with a name of its own", () => {
  expect(oddRequests.length).toBeGreaterThanOrEqual(60);
  expect(new Set(oddRequests.map(({ name }) => name)).size).toBe(oddRequests.length);
});
