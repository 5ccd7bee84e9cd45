/** A small DNS server on loopback, UDP and TCP, that answers from a table and remembers every question. */

import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type Answer, decode, encode, type Packet } from "dns-packet";
import { makeBell, within } from "./wait.ts";

export interface SrvRecord {
  readonly target: string;
  readonly port: number;
  /** Default: 0. */
  readonly priority?: number;
  /** Default: 0. */
  readonly weight?: number;
}

/** "silence": no answer at all. An empty list: the name exists, but has no records of that type. */
export type DnsAnswer<T> = readonly T[] | "nxdomain" | "servfail" | "refused" | "silence";

/** What is known of one name. A type that is left out is an empty list. */
export interface DnsName {
  readonly SRV?: DnsAnswer<SrvRecord>;
  readonly A?: DnsAnswer<string>;
  readonly AAAA?: DnsAnswer<string>;
  readonly CNAME?: string;
  /** The answers come so much later. Default: 0. */
  readonly delayMs?: number;
}

/** By name, lower case, without a dot at the end. A name that is not listed does not exist (NXDOMAIN). */
export type DnsZone = Readonly<Record<string, DnsName>>;

export interface DnsQuery {
  /** Lower case. */
  readonly name: string;
  readonly type: string;
  readonly over: "udp" | "tcp";
}

export interface DnsServer {
  readonly port: number;
  /** For `Resolver.setServers`: 127.0.0.1 with the port. */
  readonly address: string;
  /** All questions so far, in order, the unanswered ones too. */
  readonly queries: readonly DnsQuery[];
  /** Replaces the whole table. */
  change(zone: DnsZone): void;
  /** The first question for that name and type, as soon as it has come. */
  asked(name: string, type: string, deadlineMs?: number): Promise<DnsQuery>;
  stop(): Promise<void>;
}

/** Without EDNS; more is cut off and asked for again over TCP (RFC 1035 section 4.2.1). */
const mostUdpBytes = 512;
const mostAttempts = 10;
const responseCodes = { nxdomain: 3, servfail: 2, refused: 5 } as const;

export async function startDnsServer(initial: DnsZone = {}): Promise<DnsServer> {
  let zone = initial;
  const bell = makeBell();
  const queries: DnsQuery[] = [];
  const timers = new Set<Timer>();

  const take = (message: Buffer, over: DnsQuery["over"], reply: (answer: Buffer) => void): void => {
    const packet = decode(message);
    const [question] = packet.questions ?? [];
    if (question === undefined) return;
    const name = question.name.toLowerCase();
    queries.push({ name, type: question.type, over });
    bell.ring();
    const response = answer(packet, zone, name, question.type);
    if (response === undefined) return;
    const whole = encode(response);
    const fits = over === "tcp" || whole.length <= mostUdpBytes;
    const bytes = fits ? whole : encode({ ...response, flags: (response.flags ?? 0) | 0x0200, answers: [] });
    const timer = setTimeout(() => {
      timers.delete(timer);
      reply(bytes);
    }, zone[name]?.delayMs ?? 0);
    timers.add(timer);
  };

  const tcpSockets = new Set<Socket>();
  const { udp, tcp, port } = await listen((socket) => serveTcp(socket, tcpSockets, take));
  udp.on("message", (message, from) => take(message, "udp", (bytes) => udp.send(bytes, from.port, from.address)));

  return {
    port,
    address: `127.0.0.1:${port}`,
    queries,
    change: (next) => {
      zone = next;
    },
    asked: (name, type, deadlineMs = 5000) =>
      bell.until(
        () => queries.find((query) => query.name === name && query.type === type),
        deadlineMs,
        `the question ${type} ${name}`,
      ),
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of tcpSockets) socket.destroy();
      const closed = [new Promise((resolve) => tcp.close(resolve)), new Promise<void>((resolve) => udp.close(resolve))];
      await within(2000, "the DNS server to stop", Promise.all(closed));
    },
  };
}

interface Listeners {
  readonly udp: UdpSocket;
  readonly tcp: Server;
  readonly port: number;
}

/** One port for both: a free one of TCP that happens to be free in UDP too. */
async function listen(onTcp: (socket: Socket) => void): Promise<Listeners> {
  for (let attempt = 1; ; attempt++) {
    const tcp = createServer(onTcp);
    const udp = createSocket("udp4");
    try {
      await new Promise<void>((resolve, reject) => {
        tcp.once("error", reject);
        tcp.listen(0, "127.0.0.1", resolve);
      });
      const address = tcp.address();
      const port = typeof address === "object" ? (address?.port ?? 0) : 0;
      await new Promise<void>((resolve, reject) => {
        udp.once("error", reject);
        udp.bind(port, "127.0.0.1", resolve);
      });
      return { udp, tcp, port };
    } catch (error) {
      tcp.close();
      udp.close();
      if (attempt === mostAttempts) throw error;
    }
  }
}

/** Undefined: silence. */
function answer(query: Packet, zone: DnsZone, name: string, type: string): Packet | undefined {
  const base = {
    id: query.id ?? 0,
    type: "response" as const,
    questions: query.questions ?? [],
    answers: [],
  } satisfies Packet;
  // AA; RD is copied and RA set, as a resolver that a client is meant to ask does.
  const flags = 0x0400 | 0x0080 | ((query.flags ?? 0) & 0x0100);
  const known = zone[name];
  if (known === undefined) return { ...base, flags: flags | responseCodes.nxdomain };
  if (known.CNAME !== undefined && type !== "CNAME") {
    const alias: Answer = { name, type: "CNAME", ttl: 0, data: known.CNAME };
    const next = answer(query, zone, known.CNAME.toLowerCase(), type);
    return next && { ...next, answers: [alias, ...(next.answers ?? [])] };
  }
  const found = type === "SRV" || type === "A" || type === "AAAA" ? (known[type] ?? []) : [];
  if (found === "silence") return undefined;
  if (typeof found === "string") return { ...base, flags: flags | responseCodes[found] };
  return { ...base, flags, answers: found.map((record) => makeRecord(name, type, record)) };
}

/** A time to live of 0 keeps clients from remembering what a test is about to change. */
function makeRecord(name: string, type: string, record: SrvRecord | string): Answer {
  if (typeof record === "string") return { name, type: type === "A" ? "A" : "AAAA", ttl: 0, data: record };
  const { target, port, priority = 0, weight = 0 } = record;
  return { name, type: "SRV", ttl: 0, data: { target, port, priority, weight } };
}

/** RFC 1035 section 4.2.2: each message has its length in two bytes before it. */
function serveTcp(
  socket: Socket,
  sockets: Set<Socket>,
  take: (message: Buffer, over: "tcp", reply: (answer: Buffer) => void) => void,
): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
  // A client that leaves is none of our business; "close" follows.
  socket.on("error", () => {});
  let pending = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE()) {
      const end = 2 + pending.readUInt16BE();
      const message = pending.subarray(2, end);
      pending = pending.subarray(end);
      take(message, "tcp", (answer) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        if (socket.writable) socket.write(Buffer.concat([length, answer]));
      });
    }
  });
}
