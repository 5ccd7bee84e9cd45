/**
 * The low level of the scripted peer: a server that does to each client exactly what a list of moves says, whether that
 * is XMPP or not.
 *
 *     const server = await startScript([expectText(/<stream:stream[^>]*>/), send("<stream:stream"), reset()]);
 */

import { createServer, type Socket } from "node:net";
import { makeBell, within } from "../wait.ts";
import { garbage } from "./fault.ts";
import { makeWire, type Wire, type WireTls } from "./wire.ts";

const stopDeadlineMs = 2000;

/** One client of a script. */
export interface ScriptClient {
  /** Counted from 1. */
  readonly number: number;
  readonly wire: Wire;
  /** What it said, as latin1 text so that every byte is one character; decrypted where it came encrypted. */
  readonly text: string;
  /** The part of `text` that no `expectText` has taken yet; a move may shorten it. */
  unread: string;
  /** What the last `expectText` matched. */
  match: RegExpExecArray | undefined;
  /** Resolves when `check` holds; asked at each arrival of bytes. */
  until<T>(check: () => T, deadlineMs: number, what: string): Promise<Exclude<T, undefined | false>>;
}

/** Resolves when the next move may begin. A rejection ends the script for that client and fails `ScriptServer.finished`. */
export type Move = (client: ScriptClient) => void | Promise<void>;

/** Waits for the pattern in what the client says next, and takes everything up to its end. */
export function expectText(pattern: RegExp, deadlineMs = 5000): Move {
  return async (client) => {
    const match = await client.until(() => pattern.exec(client.unread) ?? undefined, deadlineMs, `${pattern}`);
    client.match = match;
    client.unread = client.unread.slice(match.index + match[0].length);
  };
}

/** The function gets what the last `expectText` matched. */
export function send(data: string | Uint8Array | ((match: RegExpExecArray | undefined) => string)): Move {
  return (client) => client.wire.send(typeof data === "function" ? data(client.match) : data);
}

/** One byte a packet; in TLS a record. */
export function sendSlowly(data: string | Uint8Array): Move {
  return ({ wire }) => {
    wire.slow = true;
    wire.send(data);
    wire.slow = false;
  };
}

export function sendGarbage(): Move {
  return send(garbage);
}

/** The same data again and again until the client leaves; for whitespace without end and the like. */
export function sendForever(data: string, betweenMs = 0): Move {
  return async ({ wire }) => {
    let gone = false;
    wire.closed.then(() => {
      gone = true;
    });
    while (!gone) {
      wire.send(data);
      await Bun.sleep(betweenMs);
    }
  };
}

/** Takes the client's ClientHello next. */
export function startTls(tls: WireTls): Move {
  return ({ wire }) => wire.startTls(tls);
}

/** Until the client leaves. */
export function hang(): Move {
  return ({ wire }) => wire.closed;
}

/** Like `hang`, but the client's writes get stuck too. */
export function stopReading(): Move {
  return ({ wire }) => {
    wire.stopReading();
  };
}

/** A FIN. */
export function close(): Move {
  return ({ wire }) => wire.end();
}

/** A TCP RST. */
export function reset(): Move {
  return ({ wire }) => wire.reset();
}

export interface ScriptServer {
  readonly host: string;
  readonly port: number;
  readonly clients: readonly ScriptClient[];
  readonly openCount: number;
  /** The nth client, counted from 1, as soon as it is there. */
  client(nth: number, deadlineMs?: number): Promise<ScriptClient>;
  /** Resolves when the nth client's script has come to its end; rejects where a move failed. */
  finished(nth?: number, deadlineMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export interface ScriptOptions {
  /** Default: 127.0.0.1. */
  readonly host?: "127.0.0.1" | "::1";
  /** False: forgets clients that have left, for runs of many thousands. Default: true. */
  readonly record?: boolean;
}

/** `moves`: for every client, or chosen by the client's number, counted from 1. After the last move the server hangs. */
export async function startScript(
  moves: readonly Move[] | ((number: number) => readonly Move[]),
  { host = "127.0.0.1", record = true }: ScriptOptions = {},
): Promise<ScriptServer> {
  const clients: ScriptClient[] = [];
  const endings = new Map<number, Promise<void>>();
  let clientCount = 0;
  const sockets = new Set<Socket>();
  const bell = makeBell();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const client = makeClient(socket, ++clientCount);
    clients.push(client);
    const ending = run(typeof moves === "function" ? moves(client.number) : moves, client);
    // Whoever awaits `finished` gets the rejection; a client that leaves early is no mistake by itself.
    ending.catch(() => {});
    endings.set(client.number, ending);
    socket.once("close", () => {
      if (record) return;
      clients.splice(clients.indexOf(client), 1);
      endings.delete(client.number);
    });
    bell.ring();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The script has no port.");

  return {
    host,
    port: address.port,
    clients,
    get openCount() {
      return sockets.size;
    },
    client: (nth, deadlineMs = 5000) =>
      bell.until(() => clients.find(({ number }) => number === nth), deadlineMs, `client ${nth}`),
    finished: async (nth = 1, deadlineMs = 5000) => {
      await bell.until(() => endings.has(nth), deadlineMs, `client ${nth}`);
      await within(deadlineMs, `the script of client ${nth} to end`, endings.get(nth) ?? Promise.resolve());
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await within(stopDeadlineMs, "the script to stop", closed);
    },
  };
}

async function run(moves: readonly Move[], client: ScriptClient): Promise<void> {
  for (const move of moves) await move(client);
}

function makeClient(socket: Socket, number: number): ScriptClient {
  const bell = makeBell();
  const client: ScriptClient & { text: string } = {
    number,
    text: "",
    unread: "",
    match: undefined,
    until: bell.until,
    wire: makeWire(socket, (bytes) => {
      const text = Buffer.from(bytes).toString("latin1");
      client.text += text;
      client.unread += text;
      bell.ring();
    }),
  };
  return client;
}
