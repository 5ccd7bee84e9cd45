/** A TCP proxy on loopback that treats the bytes between a client and a server as a bad network would. */

import { connect, createServer, type Socket } from "node:net";
import { makeBell, within } from "./wait.ts";

/** What a proxy holds of a sender before it stops taking more, as a network's buffers would. */
const mostWaitingBytes = 256 * 1024;

export interface ProxyBehaviour {
  /** All data arrives so much later, in both directions; pieces that follow one another do not add up. Default: 0. */
  readonly delayMs: number;
  /** In each direction of each connection. Default: no limit. */
  readonly bytesPerSecond: number;
  /** Asked for each new connection, counted from 1; a value counts for all, and for open ones too. Default: never. */
  readonly resetAfterBytes: ResetPoint | ((connection: number) => ResetPoint);
}

/**
 * Once so many bytes of a connection have been passed on in that direction, both ends get a TCP RST; the bytes beyond are
 * lost. It counts from the connection's beginning.
 */
export interface ResetPoint {
  readonly toServer?: number;
  readonly toClient?: number;
}

export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** How many connections were accepted so far. */
  readonly connectionCount: number;
  /** How many are open. */
  readonly openCount: number;
  /** All bytes passed on so far. */
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  /** Counts for open connections as well as for new ones. */
  change(behaviour: Partial<ProxyBehaviour>): void;
  /**
   * True: nothing is passed on any more and nothing is answered, but connections are taken and stay up, as when packets
   * are dropped. False: it flows again, with what was held back.
   */
  blackHole(on: boolean): void;
  /** Resets all open connections; new ones are taken. */
  dropAll(): void;
  /** Resets all open connections, and each new one at once, until `restore`. */
  refuse(): void;
  restore(): void;
  /** Where new connections go from now on. */
  retarget(port: number, host?: string): void;
  /** Resolves when so many connections have been accepted since the start. */
  connected(count: number, deadlineMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const none: ProxyBehaviour = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, resetAfterBytes: {} };

export interface ProxyTarget {
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
}

export async function startFaultProxy(target: ProxyTarget, initial: Partial<ProxyBehaviour> = {}): Promise<FaultProxy> {
  let behaviour: ProxyBehaviour = { ...none, ...initial };
  let destination = target;
  let refusing = false;
  let held: PromiseWithResolvers<void> | undefined;
  let connectionCount = 0;
  const passed = { toServer: 0, toClient: 0 };
  const bell = makeBell();
  const pairs = new Set<readonly [Socket, Socket]>();

  const drop = (pair: readonly [Socket, Socket]): void => {
    for (const socket of pair) socket.resetAndDestroy();
    pairs.delete(pair);
  };
  const relay = (from: Socket, to: Socket, direction: keyof ResetPoint, number: number, cut: () => void): void => {
    const drawn = typeof behaviour.resetAfterBytes === "function" ? behaviour.resetAfterBytes(number) : undefined;
    let total = 0;
    const pass = async (bytes: Uint8Array, cameAt: number): Promise<void> => {
      const waitMs = cameAt + behaviour.delayMs - performance.now();
      if (behaviour.delayMs > 0 && waitMs > 0) await Bun.sleep(waitMs);
      for (const piece of slices(bytes, behaviour.bytesPerSecond)) {
        if (behaviour.bytesPerSecond !== Number.POSITIVE_INFINITY) {
          await Bun.sleep((1000 * piece.length) / behaviour.bytesPerSecond);
        }
        while (held !== undefined) await held.promise;
        if (to.destroyed) return;
        const point = drawn ?? (typeof behaviour.resetAfterBytes === "function" ? {} : behaviour.resetAfterBytes);
        const room = (point[direction] ?? Number.POSITIVE_INFINITY) - total;
        const part = piece.subarray(0, Math.max(0, room));
        if (part.length > 0) await write(to, part);
        total += part.length;
        passed[direction] += part.length;
        if (room <= piece.length) return cut();
      }
    };
    let last = Promise.resolve();
    let waitingBytes = 0;
    from.on("data", (bytes: Uint8Array) => {
      const cameAt = performance.now();
      waitingBytes += bytes.length;
      if (waitingBytes > mostWaitingBytes) from.pause();
      last = last.then(async () => {
        await pass(bytes, cameAt);
        waitingBytes -= bytes.length;
        if (waitingBytes <= mostWaitingBytes) from.resume();
      });
    });
    from.once("end", () => {
      last = last.then(async () => {
        while (held !== undefined) await held.promise;
        to.end();
      });
    });
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const number = ++connectionCount;
    bell.ring();
    client.on("error", ignore);
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect({
      port: destination.port,
      host: destination.host ?? "127.0.0.1",
      allowHalfOpen: true,
    });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const cut = (): void => drop(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      // An end that vanishes takes the other with it, as a network that is up would tell.
      socket.on("error", cut);
      socket.once("close", () => {
        if (client.destroyed && upstream.destroyed) pairs.delete(pair);
      });
    }
    relay(client, upstream, "toServer", number, cut);
    relay(upstream, client, "toClient", number, cut);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");

  const dropAll = (): void => {
    for (const pair of pairs) drop(pair);
  };
  const blackHole = (on: boolean): void => {
    if (on) {
      held ??= Promise.withResolvers();
    } else {
      held?.resolve();
      held = undefined;
    }
  };
  return {
    host: "127.0.0.1",
    port: address.port,
    get connectionCount() {
      return connectionCount;
    },
    get openCount() {
      return pairs.size;
    },
    get bytesToServer() {
      return passed.toServer;
    },
    get bytesToClient() {
      return passed.toClient;
    },
    change: (next) => {
      behaviour = { ...behaviour, ...next };
    },
    blackHole,
    dropAll,
    refuse: () => {
      refusing = true;
      dropAll();
    },
    restore: () => {
      refusing = false;
    },
    retarget: (port, host = "127.0.0.1") => {
      destination = { port, host };
    },
    connected: async (count, deadlineMs = 5000) => {
      await bell.until(() => connectionCount >= count, deadlineMs, `${count} connections at the proxy`);
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      dropAll();
      blackHole(false);
      await within(2000, "the proxy to stop", closed);
    },
  };
}

/** Pieces of a tenth of a second's worth, so that a low rate flows evenly. */
function* slices(bytes: Uint8Array, bytesPerSecond: number): Generator<Uint8Array> {
  const size = Math.max(1, Math.floor(Math.min(bytes.length, bytesPerSecond / 10)));
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  if (!socket.writable) return Promise.resolve();
  return new Promise((resolve) => {
    // A socket that is destroyed meanwhile may never call back.
    const done = (): void => {
      socket.off("close", done);
      resolve();
    };
    socket.once("close", done);
    socket.write(bytes, done);
  });
}

function ignore(): void {}
