/** From endpoints to a connected TCP socket, against real listeners; only an address that swallows packets is made up. */

import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { Failure } from "../../src/errors.ts";
import { because } from "../../src/log.ts";
import { type Dialled, type DialOptions, dial, dialEach } from "../../src/xmpp/dial.ts";
import type { Endpoint, Lookup } from "../../src/xmpp/resolve.ts";
import { eventually, within } from "../support/wait.ts";

const blackHole = "192.0.2.66";
const open: (Server | Socket)[] = [];
const neverAborted = new AbortController().signal;

afterEach(() => {
  for (const each of open.splice(0)) each instanceof Socket ? each.destroy() : each.close();
});

interface Attempts {
  readonly addresses: string[];
  readonly timesMs: number[];
  readonly sockets: Socket[];
  readonly connect: (address: string, port: number) => Socket;
}

/** Connects as in production, except to the black hole, and remembers. */
function watchAttempts(): Attempts {
  const attempts: Attempts = {
    addresses: [],
    timesMs: [],
    sockets: [],
    connect: (address, port) => {
      // A socket that nobody connects is as silent as one whose packets are dropped.
      const socket = address === blackHole ? new Socket() : connect({ host: address, port });
      attempts.addresses.push(address);
      attempts.timesMs.push(performance.now());
      attempts.sockets.push(socket);
      return socket;
    },
  };
  return attempts;
}

async function listen(host = "127.0.0.1", onConnection: (socket: Socket) => void = () => {}): Promise<number> {
  const server = createServer((socket) => {
    open.push(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  open.push(server);
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A port that was free a moment ago: connections to it are refused. */
async function refusingPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

type Addresses = readonly string[] | Error | Promise<readonly string[]>;

function madeUpDns(names: Record<string, { a?: Addresses; aaaa?: Addresses }>): Lookup & { readonly asked: string[] } {
  const asked: string[] = [];
  const answer = async (name: string, addresses: Addresses = []) => {
    asked.push(name);
    if (addresses instanceof Error) throw addresses;
    return addresses;
  };
  return {
    asked,
    srv: () => Promise.reject(new Error("SRV was asked for.")),
    a: (name) => answer(name, names[name]?.a),
    aaaa: (name) => answer(name, names[name]?.aaaa),
  };
}

function endpoint(hostname: string, port: number, over: Partial<Endpoint> = {}): Endpoint {
  return { hostname, port, tls: "starttls", ...over };
}

async function dialAndKeep(endpoints: readonly Endpoint[], options: Partial<DialOptions>): Promise<Dialled> {
  const dialled = await dial(endpoints, {
    domain: "example.com",
    lookup: madeUpDns({}),
    signal: neverAborted,
    ...options,
  });
  open.push(dialled.socket);
  return dialled;
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await rejection(promise);
  if (error instanceof Failure) return error;
  throw new Error("No Failure.", { cause: error });
}

describe("dialling", () => {
  test("an IP literal asks no DNS", async () => {
    const port = await listen();
    const lookup = madeUpDns({});
    const { socket, address } = await dialAndKeep([endpoint("127.0.0.1", port)], { lookup });
    expect(address).toBe("127.0.0.1");
    expect(socket.remotePort).toBe(port);
    expect(lookup.asked).toEqual([]);
  });

  test("a name connects to its address, and tells which and where", async () => {
    const port = await listen();
    const target = endpoint("xmpp.example.com", port, { tls: "direct" });
    const lookup = madeUpDns({ "xmpp.example.com": { a: ["127.0.0.1"] } });
    const dialled = await dialAndKeep([target], { lookup });
    expect(dialled.endpoint).toBe(target);
    expect(dialled.address).toBe("127.0.0.1");
    expect(lookup.asked).toEqual(["xmpp.example.com", "xmpp.example.com"]);
  });

  test("IPv6 goes first, and a refusal moves on to IPv4 at once", async () => {
    const port = await listen();
    const attempts = watchAttempts();
    const lookup = madeUpDns({ "both.example": { a: ["127.0.0.1"], aaaa: ["::1"] } });
    const { address } = await dialAndKeep([endpoint("both.example", port)], { lookup, connect: attempts.connect });
    expect(address).toBe("127.0.0.1");
    expect(attempts.addresses).toEqual(["::1", "127.0.0.1"]);
    const [first = 0, second = 0] = attempts.timesMs;
    expect(second - first).toBeLessThan(200);
  });

  test("an address that swallows packets costs 250 ms, and its socket is destroyed", async () => {
    const port = await listen();
    const attempts = watchAttempts();
    const lookup = madeUpDns({ "slow.example": { a: [blackHole, "127.0.0.1"] } });
    const { address } = await dialAndKeep([endpoint("slow.example", port)], { lookup, connect: attempts.connect });
    expect(address).toBe("127.0.0.1");
    expect(attempts.addresses).toEqual([blackHole, "127.0.0.1"]);
    const [first = 0, second = 0] = attempts.timesMs;
    expect(second - first).toBeGreaterThan(240);
    expect(second - first).toBeLessThan(1_000);
    expect(attempts.sockets.map((socket) => socket.destroyed)).toEqual([true, false]);
  });

  test("IPv4 does not wait for an answer about IPv6 that does not come", async () => {
    const port = await listen();
    const never = new Promise<readonly string[]>(() => {});
    const lookup = madeUpDns({ "half.example": { a: ["127.0.0.1"], aaaa: never } });
    const { address } = await within(
      2_000,
      "a connection over IPv4",
      dialAndKeep([endpoint("half.example", port)], { lookup }),
    );
    expect(address).toBe("127.0.0.1");
  });

  test("IPv4 waits a moment for the answer about IPv6, and leaves it the first try", async () => {
    const port = await listen("::1");
    const late = new Promise<readonly string[]>((resolve) => setTimeout(resolve, 10, ["::1"]));
    const attempts = watchAttempts();
    const lookup = madeUpDns({ "late.example": { a: [blackHole], aaaa: late } });
    await dialAndKeep([endpoint("late.example", port)], { lookup, connect: attempts.connect });
    expect(attempts.addresses).toEqual(["::1"]);
  });

  test("an answer that comes when all other addresses are being tried is used at once", async () => {
    const port = await listen("::1");
    const late = new Promise<readonly string[]>((resolve) => setTimeout(resolve, 400, ["::1"]));
    const attempts = watchAttempts();
    const lookup = madeUpDns({ "later.example": { a: [blackHole], aaaa: late } });
    const waiting = dialAndKeep([endpoint("later.example", port)], { lookup, connect: attempts.connect });
    expect((await within(2_000, "the connection over IPv6", waiting)).address).toBe("::1");
    expect(attempts.addresses).toEqual([blackHole, "::1"]);
  });

  test("goes on to the next endpoint when one refuses, has no address, or cannot be looked up", async () => {
    const port = await listen();
    const endpoints = [
      endpoint("127.0.0.1", await refusingPort(), { tls: "direct" }),
      endpoint("gone.example", 5222),
      endpoint("broken.example", 5222),
      endpoint("127.0.0.1", port),
    ];
    const servfail = new Error("ESERVFAIL");
    const lookup = madeUpDns({ "broken.example": { a: servfail, aaaa: servfail } });
    const dialled = await dialAndKeep(endpoints, { lookup });
    expect(dialled.endpoint).toBe(endpoints[3] as Endpoint);
  });

  test("tries 8 addresses of a name that has 100", async () => {
    const port = await refusingPort();
    const attempts = watchAttempts();
    const a = Array.from({ length: 100 }, (_, index) => `127.0.1.${index}`);
    const lookup = madeUpDns({ "many.example": { a } });
    const failure = await failureOf(
      dialAndKeep([endpoint("many.example", port)], { lookup, connect: attempts.connect }),
    );
    expect(attempts.addresses).toHaveLength(8);
    expect(failure.message).toContain("tried: 8");
  });

  test("keeps what the server sends before anybody listens", async () => {
    const port = await listen("127.0.0.1", (socket) => socket.end("early"));
    const { socket } = await dialAndKeep([endpoint("127.0.0.1", port)], {});
    const text = new Promise((resolve) => socket.once("data", (data) => resolve(data.toString())));
    expect(await within(2_000, "the early bytes", text)).toBe("early");
  });

  test("survives a reset that nobody listens for yet", async () => {
    const port = await listen("127.0.0.1", (socket) => socket.resetAndDestroy());
    const { socket } = await dialAndKeep([endpoint("127.0.0.1", port)], {});
    await eventually(() => socket.destroyed, 2_000, "the end of the socket");
  });
});

describe("trying one endpoint after another", () => {
  test("opens the next only when it is asked for", async () => {
    const accepted: number[] = [];
    const ports = [
      await listen("127.0.0.1", () => accepted.push(0)),
      await refusingPort(),
      await listen("127.0.0.1", () => accepted.push(2)),
    ];
    const endpoints = ports.map((port) => endpoint("127.0.0.1", port));
    const seen: number[] = [];
    const options = { domain: "example.com", lookup: madeUpDns({}), signal: neverAborted };
    for await (const dialled of dialEach(endpoints, options)) {
      open.push(dialled.socket);
      seen.push(dialled.endpoint.port);
      await eventually(() => accepted.length === seen.length, 2_000, "the server's side of it");
    }
    expect(seen).toEqual([ports[0] ?? 0, ports[2] ?? 0]);
    expect(accepted).toEqual([0, 2]);
  });
});

describe("dialling fails", () => {
  test("as unreachable, with what every address said for the log alone", async () => {
    const port = await refusingPort();
    const lookup = madeUpDns({ "down.example": { a: ["127.0.0.1"], aaaa: [] } });
    const failure = await failureOf(dialAndKeep([endpoint("down.example", port)], { lookup }));
    expect(failure.code).toBe("server_unreachable");
    expect(failure.message).toBe(
      'The XMPP server of "example.com" could not be reached: no address of it accepted a connection (tried: 1).',
    );
    expect(failure.cause).toBeInstanceOf(AggregateError);
    const { errors, message } = failure.cause as AggregateError;
    expect(String(errors[0])).toContain("ECONNREFUSED");
    expect(message).toContain(`down.example port ${port}`);
    expect(because(failure)["because"]).toContain(`ECONNREFUSED 127.0.0.1:${port}`);
  });

  test("as unreachable, when an address stays silent for its time limit", async () => {
    const attempts = watchAttempts();
    const waiting = dialAndKeep([endpoint(blackHole, 5222)], { connect: attempts.connect, addressTimeoutMs: 30 });
    const failure = await failureOf(within(2_000, "the time limit", waiting));
    expect(failure.code).toBe("server_unreachable");
    expect(String((failure.cause as AggregateError).errors[0])).toContain("within 30 ms");
    expect(attempts.sockets[0]?.destroyed).toBe(true);
  });

  const servfail = new Error("ESERVFAIL");
  const table: readonly [string, { a?: Addresses; aaaa?: Addresses }, unknown, Failure["code"]][] = [
    ["no address", {}, undefined, "name_not_found"],
    ["no IPv4 address, and no answer about IPv6", { aaaa: servfail }, undefined, "name_lookup_failed"],
    ["no answer about IPv4, and no IPv6 address", { a: servfail }, undefined, "name_lookup_failed"],
    ["no address, and no answer about SRV records before", {}, servfail, "name_lookup_failed"],
    ["only nonsense for an address", { a: ["example.com"] }, undefined, "name_not_found"],
  ];
  test.each(table)("when there is %s", async (_, addresses, srvFailure, code) => {
    const lookup = madeUpDns({ "odd.example": addresses });
    const target = endpoint("odd.example", 5222, srvFailure === undefined ? {} : { srvFailure });
    const failure = await failureOf(dialAndKeep([target], { lookup }));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain('"example.com"');
  });

  test("when there is no address where the settings lead", async () => {
    const lookup = madeUpDns({ "odd.example": {} });
    const failure = await failureOf(dialAndKeep([endpoint("odd.example", 5222)], { lookup, configured: true }));
    expect(failure.code).toBe("name_not_found");
    expect(failure.message).toContain('its "connect" leads to "odd.example", which has no address');
  });

  test("with the signal's reason, in the middle of a connection attempt", async () => {
    const attempts = watchAttempts();
    const controller = new AbortController();
    const waiting = dialAndKeep([endpoint(blackHole, 5222)], {
      connect: attempts.connect,
      signal: controller.signal,
    });
    const reason = new Failure("login_timeout", "Too late.");
    expect(attempts.sockets).toHaveLength(1);
    controller.abort(reason);
    expect(await rejection(waiting)).toBe(reason);
    expect(attempts.sockets[0]?.destroyed).toBe(true);
  });

  test("with the signal's reason, in the middle of a lookup, and tells the lookup", async () => {
    const controller = new AbortController();
    const told = Promise.withResolvers<void>();
    const silent = (_name: string, signal: AbortSignal) => {
      signal.addEventListener("abort", () => told.resolve());
      return new Promise<readonly string[]>(() => {});
    };
    const lookup: Lookup = { ...madeUpDns({}), a: silent, aaaa: silent };
    const waiting = dialAndKeep([endpoint("silent.example", 5222)], { lookup, signal: controller.signal });
    controller.abort(new Error("stop"));
    expect(String(await rejection(waiting))).toContain("stop");
    await within(1_000, "the lookup's own signal", told.promise);
  });

  test("with the signal's reason, before anything was tried", async () => {
    const attempts = watchAttempts();
    const lookup = madeUpDns({});
    const signal = AbortSignal.abort(new Error("stop"));
    const waiting = dialAndKeep([endpoint("127.0.0.1", 5222)], { lookup, signal, connect: attempts.connect });
    expect(String(await rejection(waiting))).toContain("stop");
    expect([...attempts.addresses, ...lookup.asked]).toEqual([]);
  });
});

describe("nothing is left", () => {
  test("of 300 dials that were won, refused, timed out or aborted: no file, no listener, no timer", async () => {
    const port = await listen("127.0.0.1", (socket) => socket.end());
    const refused = await refusingPort();
    const lookup = madeUpDns({ "mixed.example": { a: ["127.0.0.1", "127.0.0.1", blackHole], aaaa: ["::1"] } });
    const attempts = watchAttempts();
    const controller = new AbortController();
    const signal = watchListeners(controller.signal);
    const filesBefore = countFiles();
    using timers = watchTimers();

    for (let i = 0; i < 100; i++) {
      const options = { domain: "example.com", lookup, signal, connect: attempts.connect, addressTimeoutMs: 5 };
      // Who has to win may take its time; those who have to lose are not waited for.
      const { socket } = await dial([endpoint("mixed.example", port)], { ...options, addressTimeoutMs: 5_000 });
      socket.destroy();
      await failureOf(dial([endpoint("mixed.example", refused), endpoint(blackHole, 5222)], options));
      const abort = new AbortController();
      const aborted = dial([endpoint(blackHole, 5222)], { ...options, signal: abort.signal });
      abort.abort(new Error("stop"));
      await rejection(aborted);
    }
    expect(attempts.sockets.filter((socket) => !socket.destroyed)).toEqual([]);
    expect(signal.count()).toBe(0);
    expect(timers.count()).toBe(0);
    await eventually(() => countFiles() <= filesBefore, 5_000, "the sockets' files to be closed");
  }, 20_000);

  test("but one error listener on the winner's socket", async () => {
    const port = await listen();
    const plain = connect({ host: "127.0.0.1", port });
    open.push(plain);
    await once(plain, "connect");
    const { socket } = await dialAndKeep([endpoint("127.0.0.1", port)], {});
    expect(socket.listenerCount("error")).toBe(plain.listenerCount("error") + 1);
    for (const event of ["connect", "close", "data", "end", "timeout"]) {
      expect([event, socket.listenerCount(event)]).toEqual([event, plain.listenerCount(event)]);
    }
  });
});

function countFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Counts the timers that are set from here on and have neither fired nor been cleared. */
function watchTimers(): Disposable & { count(): number } {
  const pending = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const setSpy = spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, timeMs?: number) => {
    const timer = set(() => {
      pending.delete(timer);
      run();
    }, timeMs);
    pending.add(timer);
    return timer;
  }) as typeof setTimeout);
  const clearSpy = spyOn(globalThis, "clearTimeout").mockImplementation(((timer?: Timer) => {
    pending.delete(timer);
    clear(timer);
  }) as typeof clearTimeout);
  return {
    count: () => pending.size,
    [Symbol.dispose]: () => {
      setSpy.mockRestore();
      clearSpy.mockRestore();
    },
  };
}

/** The signal itself, which also counts its listeners. */
function watchListeners(signal: AbortSignal): AbortSignal & { count(): number } {
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  return Object.assign(signal, {
    count: () => listeners,
    addEventListener: (...args: Parameters<typeof addEventListener>) => {
      listeners++;
      addEventListener.apply(signal, args);
    },
    removeEventListener: (...args: Parameters<typeof removeEventListener>) => {
      listeners--;
      removeEventListener.apply(signal, args);
    },
  });
}
