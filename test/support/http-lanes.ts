/**
 * Callers that send their requests in a known order: a few keep-alive connections of HTTP/1.1, written to at once and one
 * after another, where `fetch` may open connections and send in any order.
 */

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface LaneReply {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where the body is empty. */
  readonly json: unknown;
  readonly tookMs: number;
}

export interface LaneRequest {
  /** user-id:password; default alice@example.com:secret. */
  readonly user?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Lane {
  /** The gateway has not closed it. */
  readonly open: boolean;
  /** Written before it returns; one request at a time. */
  post(body: string, request?: LaneRequest): Promise<LaneReply>;
  close(): void;
}

export interface TrafficOptions {
  readonly port: number;
  readonly lanes: number;
  /** Asked again before each request. */
  readonly count: number;
  /** What request `number` (from 0) says. */
  body(number: number): string;
  request?(number: number): LaneRequest;
  /** Called with each reply, in whatever order they come; what it returns is awaited before the lane goes on. */
  answered(number: number, reply: LaneReply): Promise<void> | void;
}

const recipientPath = "/msg/bob@example.com";

/** Sends `count` requests, numbered in the order in which they are sent, and resolves when all are answered. */
export async function sendTraffic(options: TrafficOptions): Promise<void> {
  const { port, lanes, body, request, answered } = options;
  let next = 0;
  const run = async () => {
    const lane = await openLane(port);
    try {
      while (next < options.count) {
        const number = next++;
        await answered(number, await lane.post(body(number), request?.(number)));
      }
    } finally {
      lane.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, run));
}

/** `ca`: over TLS, with a server whose certificate comes from there. */
export async function openLane(port: number, ca?: string): Promise<Lane> {
  const host = "127.0.0.1";
  const socket = ca === undefined ? connect(port, host) : connectTls({ port, host, ca });
  socket.setNoDelay(true);
  await new Promise<void>((resolve, reject) => {
    socket.once(ca === undefined ? "connect" : "secureConnect", resolve);
    socket.once("error", reject);
  });
  let waiting: PromiseWithResolvers<LaneReply> | undefined;
  let startedMs = 0;
  let open = true;
  socket.once("close", () => {
    open = false;
  });
  const lost = () => waiting?.reject(new Error("The gateway closed the connection in place of an answer."));
  socket.on("error", lost);
  socket.once("close", lost);
  readReplies(socket, (reply) => {
    const answered = waiting;
    waiting = undefined;
    answered?.resolve({ ...reply, tookMs: performance.now() - startedMs });
  });
  return {
    get open() {
      return open;
    },
    post: (body, request = {}) => {
      if (waiting !== undefined) throw new Error("The lane waits for an answer already.");
      waiting = Promise.withResolvers();
      startedMs = performance.now();
      socket.write(writeRequest(body, request));
      return waiting.promise;
    },
    close: () => void socket.destroy(),
  };
}

function writeRequest(body: string, { user = "alice@example.com:secret", path, headers = {} }: LaneRequest): string {
  const lines = [
    `POST ${path ?? recipientPath} HTTP/1.1`,
    "Host: gateway.test",
    `Authorization: Basic ${Buffer.from(user).toString("base64")}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries({ "Content-Type": "text/plain; charset=utf-8", ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    ),
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** The gateway's replies all have a Content-Length. */
function readReplies(socket: Socket, onReply: (reply: Omit<LaneReply, "tookMs">) => void): void {
  let unread = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes]);
    for (;;) {
      const headEnd = unread.indexOf("\r\n\r\n");
      if (headEnd === -1) return;
      const [statusLine = "", ...lines] = unread.subarray(0, headEnd).toString("latin1").split("\r\n");
      const headers = Object.fromEntries(lines.map(readHeader));
      const end = headEnd + 4 + Number(headers["content-length"] ?? 0);
      if (unread.length < end) return;
      const body = unread.subarray(headEnd + 4, end).toString("utf8");
      unread = unread.subarray(end);
      onReply({ status: Number(statusLine.split(" ")[1]), headers, json: body === "" ? undefined : JSON.parse(body) });
    }
  });
}

function readHeader(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
