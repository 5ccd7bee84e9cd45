/** How it stops, and what it does about slow callers and those who hang up. */

import { describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { Failure } from "../../src/errors.ts";
import { readBody, takeLeftOver } from "../../src/http/body.ts";
import type { Receipt } from "../../src/message.ts";
import { alice, startGateway } from "../support/http-gateway.ts";

const receipt: Receipt = { id: "1", from: "alice@example.com", to: "bob@example.com", type: "chat" };

async function failureOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "no failure",
    (error: Error) => error.message,
  );
}

test("a stop finishes the requests in flight and takes no new ones", async () => {
  const verdict = Promise.withResolvers<Receipt>();
  const asked = Promise.withResolvers<void>();
  const gateway = await startGateway({
    deliver: () => {
      asked.resolve();
      return verdict.promise;
    },
  });
  const inFlight = gateway.post("/msg/bob", "hi");
  await asked.promise;
  const stopped = gateway[Symbol.asyncDispose]();
  expect(await failureOf(gateway.post("/msg/bob", "hi"))).not.toBe("no failure");
  verdict.resolve(receipt);
  expect((await inFlight).status).toBe(201);
  await stopped;
});

test("a caller who hangs up aborts the signal that deliver has", async () => {
  const aborted = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using gateway = await startGateway({
    deliver: ({ caller: { signal } }) => {
      signal.addEventListener("abort", () => aborted.resolve());
      asked.resolve();
      return aborted.promise.then(() => receipt);
    },
  });
  const socket = connect(gateway.port, "127.0.0.1");
  socket.write(`POST /msg/bob HTTP/1.1\r\nHost: gw\r\nAuthorization: ${alice}\r\nContent-Length: 2\r\n\r\nhi`);
  await asked.promise;
  socket.destroy();
  await aborted.promise;
});

describe("a body", () => {
  interface Upload {
    readonly request: Request;
    send(bytes: number): void;
    end(): void;
    readonly cancelled: Promise<void>;
  }

  function upload(): Upload {
    const cancelled = Promise.withResolvers<void>();
    let sink: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        sink = controller;
      },
      cancel: () => cancelled.resolve(),
    });
    return {
      request: new Request("http://gw/", { method: "POST", body }),
      send: (bytes) => sink?.enqueue(new Uint8Array(bytes)),
      end: () => sink?.close(),
      cancelled: cancelled.promise,
    };
  }

  test("that makes no progress ends in a 408 that says how far it came", async () => {
    const { request, send, cancelled } = upload();
    send(3);
    const failure: Failure = await readBody(request, 100, { graceMs: 10 }).then(
      () => Promise.reject(new Error("was read")),
      (error) => error,
    );
    expect(failure.code).toBe("upload_too_slow");
    expect(failure.message).toContain("3 bytes had come");
    await cancelled;
  });

  test("that is announced, small and does not come whole ends in a 408, and so does its connection", async () => {
    const headers = { "Content-Length": "9" };
    const request = new Request("http://gw/", { method: "POST", headers, body: new ReadableStream() });
    const failure: Failure = await readBody(request, 100, { graceMs: 10 }).then(
      () => Promise.reject(new Error("was read")),
      (error) => error,
    );
    expect(failure.code).toBe("upload_too_slow");
    expect(await takeLeftOver(request)).toBe(false);
  });

  test("that is slow but not slower than 200 bytes/s is read", async () => {
    const { request, send, end } = upload();
    const read = readBody(request, 10_000, { graceMs: 20 });
    // 100 bytes are good for 500 ms beyond the grace.
    send(100);
    await Bun.sleep(100);
    send(100);
    end();
    expect((await read).byteLength).toBe(200);
  });

  test("may be as large as the limit and not a byte larger", async () => {
    const exact = upload();
    exact.send(60);
    exact.send(40);
    exact.end();
    expect((await readBody(exact.request, 100)).byteLength).toBe(100);
    const larger = upload();
    larger.send(60);
    larger.send(41);
    expect(await failureOf(readBody(larger.request, 100))).toContain("larger than 100 bytes");
    await larger.cancelled;
  });

  test("that is announced to be larger is refused before it comes", async () => {
    const headers = { "Content-Length": "101" };
    const announced = new Request("http://gw/", { method: "POST", headers, body: new ReadableStream() });
    expect(await failureOf(readBody(announced, 100))).toContain("larger than 100 bytes");
  });

  test("whose sender is gone is withdrawn", async () => {
    await using gateway = await startGateway();
    const socket = connect(gateway.port, "127.0.0.1");
    socket.write(`POST /msg/bob HTTP/1.1\r\nHost: gw\r\nAuthorization: ${alice}\r\nContent-Length: 9\r\n\r\nhi`);
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.end();
    const closed = Promise.withResolvers<void>();
    socket.on("close", () => closed.resolve()).resume();
    await closed.promise;
    while (gateway.lines.length === 0) await new Promise(setImmediate);
    expect(gateway.lines).toMatchObject([{ failure: { code: "withdrawn", outcome: "not_sent" } }]);
    expect(gateway.deliveries).toEqual([]);
  });
});
