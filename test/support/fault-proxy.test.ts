import { afterEach, describe, expect, test } from "bun:test";
import { connect, createServer, type Socket } from "node:net";
import { openBlackHolePort } from "./black-hole-port.ts";
import { type FaultProxy, type ProxyBehaviour, startFaultProxy } from "./fault-proxy.ts";
import { makeBell } from "./wait.ts";

const owned: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

/** A server that sends back what it gets, and a proxy before it. */
async function givenProxy(behaviour: Partial<ProxyBehaviour> = {}): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  owned.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const proxy = await startFaultProxy({ port: typeof address === "object" ? (address?.port ?? 0) : 0 }, behaviour);
  owned.push(proxy.stop);
  return proxy;
}

function givenClient(port: number) {
  const bell = makeBell();
  const socket = connect(port, "127.0.0.1");
  owned.push(() => socket.destroy());
  const client = {
    text: "",
    ending: undefined as string | undefined,
    socket,
    says: (text: string) => bell.until(() => client.text === text, 5000, `${text} after ${client.text}`),
    ends: () => bell.until(() => client.ending, 5000, "an end"),
  };
  const ended = (ending: string): void => {
    client.ending ??= ending;
    bell.ring();
  };
  socket.on("data", (bytes) => {
    client.text += bytes;
    bell.ring();
  });
  socket.once("end", () => ended("FIN"));
  socket.once("error", (error: NodeJS.ErrnoException) => ended(error.code ?? "error"));
  return client;
}

describe("the fault proxy", () => {
  test("passes everything on, a half-closed end too, and counts", async () => {
    const proxy = await givenProxy();
    const client = givenClient(proxy.port);
    client.socket.end("hello");
    await client.says("hello");
    expect(await client.ends()).toBe("FIN");
    expect([proxy.connectionCount, proxy.bytesToServer, proxy.bytesToClient]).toEqual([1, 5, 5]);
  });

  test("delays each direction, without adding up", async () => {
    const proxy = await givenProxy({ delayMs: 40 });
    const client = givenClient(proxy.port);
    const startedAt = performance.now();
    for (const letter of "abcdef") {
      client.socket.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.says("abcdef");
    expect(performance.now() - startedAt).toBeWithin(78, 200);
  });

  test("keeps to a rate", async () => {
    const proxy = await givenProxy({ bytesPerSecond: 10_000 });
    const client = givenClient(proxy.port);
    const startedAt = performance.now();
    client.socket.write("x".repeat(3000));
    await client.says("x".repeat(3000));
    expect(performance.now() - startedAt).toBeWithin(270, 900);
  });

  test.each([
    ["toServer", 3, ""],
    ["toClient", 3, "hel"],
  ] as const)("resets after byte N %s", async (direction, count, received) => {
    const proxy = await givenProxy({ resetAfterBytes: { [direction]: count } });
    const client = givenClient(proxy.port);
    client.socket.write("hello");
    expect(await client.ends()).toBe("ECONNRESET");
    expect(direction === "toServer" ? proxy.bytesToServer : client.text.length).toBe(count);
    if (direction === "toClient") expect(client.text).toBe(received);
    expect(proxy.openCount).toBe(0);
  });

  test("asks for each connection where it is to be reset", async () => {
    const proxy = await givenProxy({ resetAfterBytes: (connection) => (connection === 2 ? { toClient: 1 } : {}) });
    const clients = [givenClient(proxy.port), givenClient(proxy.port), givenClient(proxy.port)];
    await proxy.connected(3);
    for (const { socket } of clients) socket.write("hello");
    await Promise.all([clients[0]?.says("hello"), clients[2]?.says("hello")]);
    expect(await clients[1]?.ends()).toBe("ECONNRESET");
  });

  test("is a black hole until it is told otherwise, and then loses nothing", async () => {
    const proxy = await givenProxy();
    const client = givenClient(proxy.port);
    client.socket.write("a");
    await client.says("a");
    proxy.blackHole(true);
    client.socket.write("b");
    const late = givenClient(proxy.port);
    late.socket.write("c");
    await proxy.connected(2);
    // What is not held back comes back within a millisecond.
    await Bun.sleep(50);
    expect([client.text, late.text, client.ending]).toEqual(["a", "", undefined]);
    proxy.blackHole(false);
    await client.says("ab");
    await late.says("c");
  });

  test("drops what is open and takes new connections", async () => {
    const proxy = await givenProxy();
    const client = givenClient(proxy.port);
    client.socket.write("a");
    await client.says("a");
    proxy.dropAll();
    expect(await client.ends()).toBe("ECONNRESET");
    const next = givenClient(proxy.port);
    next.socket.write("b");
    await next.says("b");
  });

  test("refuses until it is restored", async () => {
    const proxy = await givenProxy();
    proxy.refuse();
    const client = givenClient(proxy.port);
    client.socket.write("a");
    expect(await client.ends()).toBe("ECONNRESET");
    proxy.restore();
    const next = givenClient(proxy.port);
    next.socket.write("b");
    await next.says("b");
  });
});

describe("a black-hole port", () => {
  test.each(["127.0.0.1", "::1"] as const)("neither takes nor refuses a connection on %s", async (host) => {
    const blackHole = await openBlackHolePort(host);
    owned.push(blackHole.stop);
    const socket = connect(blackHole.port, host);
    owned.push(() => socket.destroy());
    let happened: string | undefined;
    for (const event of ["connect", "error", "close"]) {
      socket.once(event, () => {
        happened ??= event;
      });
    }
    // A loopback connection that can be made is made within a millisecond.
    await Bun.sleep(100);
    expect(happened).toBeUndefined();
  });
});
