/** Who is served when all places are taken: those who have sent before those who drip. */

import { expect, test } from "bun:test";
import { connect } from "node:net";
import type { Receipt } from "../../src/message.ts";
import { alice, type Gateway, startGateway } from "../support/http-gateway.ts";
import { eventually, within } from "../support/wait.ts";

interface Stalled extends Disposable {
  /** What comes back. */
  readonly answer: Promise<string>;
}

/** A request whose body does not come. */
async function stall(gateway: Gateway): Promise<Stalled> {
  const socket = connect(gateway.port, "127.0.0.1");
  const answer = new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
  socket.on("error", () => {});
  socket.write(`POST /msg/bob HTTP/1.1\r\nHost: gw\r\nAuthorization: ${alice}\r\nContent-Length: 100\r\n\r\nx`);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return { answer, [Symbol.dispose]: () => void socket.destroy() };
}

const status = (gateway: Gateway) => gateway.post("/msg/bob", "hi").then((response) => response.status);

test("a body that is late gives way to a request that comes, the one that is furthest behind first", async () => {
  await using gateway = await startGateway({ maxInFlight: 2 });
  using first = await stall(gateway);
  expect(await status(gateway)).toBe(201);
  using second = await stall(gateway);
  // While nobody is late, both keep their places.
  expect(await status(gateway)).toBe(503);
  await eventually(async () => (await status(gateway)) === 201, 10_000, "a place");
  const said = await within(5_000, "the first to be answered", first.answer);
  expect(said).toMatch(/^HTTP\/1\.1 503 [\s\S]*Connection: close[\s\S]*"code":"overloaded","outcome":"not_sent"/);
  expect(await Promise.race([second.answer, Promise.resolve("nothing")])).toBe("nothing");
});

test("who has sent all of the body keeps the place, however long the answer takes", async () => {
  const verdict = Promise.withResolvers<Receipt>();
  await using gateway = await startGateway({ maxInFlight: 1, deliver: () => verdict.promise });
  const held = gateway.post("/msg/bob", "hi");
  await eventually(() => gateway.deliveries.length === 1, 5_000, "the request to be held");
  await Bun.sleep(1_200); // Longer than a late body may keep a place.
  expect(await status(gateway)).toBe(503);
  verdict.resolve({ id: "1", from: "alice@example.com", to: "bob@example.com", type: "chat" });
  expect((await held).status).toBe(201);
});
