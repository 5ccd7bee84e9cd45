/**
 * An answer that is given before the body has come: the body never becomes the beginning of the next request, not even
 * where a proxy thinks that the request is over and uses the connection again.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { type Gateway, startGateway } from "../support/http-gateway.ts";
import { eventually, within } from "../support/wait.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

const head = (length: number) => `POST /msg/bob HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: ${length}\r\n`;

function open() {
  const socket = connect(gateway.port, "127.0.0.1");
  const state = { text: "", closed: false };
  socket.on("data", (bytes) => {
    state.text += bytes;
  });
  // "close" follows.
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      state.closed = true;
      resolve();
    });
  });
  return { socket, state, closed };
}

const answers = (text: string) => text.match(/HTTP\/1\.1 \d{3}/g) ?? [];

test("a body that is there is taken, and the connection serves the next request", async () => {
  const { socket, state } = open();
  socket.write(`${head(5)}\r\n`);
  socket.write("hello");
  await eventually(() => answers(state.text).length === 1, 5_000, "the first answer");
  expect(state.text).not.toMatch(/^Connection: close/im);
  socket.write(`${head(2)}\r\nhi`);
  await eventually(() => answers(state.text).length === 2, 5_000, "the second answer");
  expect(answers(state.text)).toEqual(["HTTP/1.1 401", "HTTP/1.1 401"]);
  socket.destroy();
});

test.each([
  ["that does not come", ""],
  ["that comes in part", "hel"],
])("a body %s ends the connection with the answer", async (_, part) => {
  const { socket, state, closed } = open();
  socket.write(`${head(500)}\r\n${part}`);
  await within(5_000, "the connection to end", closed);
  expect(answers(state.text)).toEqual(["HTTP/1.1 401"]);
  expect(state.text).toMatch(/^Connection: close/im);
  socket.destroy();
});

test("who waits to be asked for the body is refused at once", async () => {
  const { socket, state, closed } = open();
  socket.write(`${head(500)}Expect: 100-continue\r\n\r\n`);
  await within(5_000, "the connection to end", closed);
  expect(answers(state.text).at(-1)).toBe("HTTP/1.1 401");
  socket.destroy();
});
