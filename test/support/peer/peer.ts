/**
 * The scripted peer: an XMPP server on a real loopback socket that behaves well until a test says otherwise.
 *
 *     const peer = await startPeer({ fault: { at: "auth", how: "hang" } });
 *     …
 *     await peer.stop();
 *
 * For what is no XMPP server at all, see script.ts.
 */

import { createServer, type Socket } from "node:net";
import { type Authority, makeAuthority } from "../ca.ts";
import { makeBell, within } from "../wait.ts";
import type { XmlElement } from "../xml-element.ts";
import { Silence } from "./apply-fault.ts";
import { PeerConnection } from "./connection.ts";
import { dance } from "./dance.ts";
import type { HandledMessage, PeerBehaviour, PeerOptions } from "./options.ts";
import type { PeerState } from "./serve-session.ts";

const stopDeadlineMs = 2000;

export interface Peer {
  readonly domain: string;
  readonly host: string;
  readonly port: number;
  /** What a client has to trust to accept the default certificate. */
  readonly authority: Authority;
  /** In the order in which they came; the ended ones are kept unless `record` is false. */
  readonly connections: readonly PeerConnection[];
  /** How many there have been. */
  readonly connectionCount: number;
  /** How many of them are open. */
  readonly openCount: number;
  /** Messages in the order in which they were handled, over all connections. */
  readonly messages: readonly HandledMessage[];
  /** Whether any connection has seen anything of SASL. */
  readonly sawSasl: boolean;
  /** The nth connection, counted from 1, as soon as it is there. */
  connection(nth: number, deadlineMs?: number): Promise<PeerConnection>;
  /** The first handled message that fits (default: the first of all), as soon as it is there. */
  message(fits?: (message: HandledMessage) => boolean, deadlineMs?: number): Promise<HandledMessage>;
  /** The first stanza that fits, on whichever connection and at whatever stage, as soon as it is there. */
  received(fits: (stanza: XmlElement) => boolean, deadlineMs?: number): Promise<XmlElement>;
  /** Resolves when so many connections are open, no more and no less. */
  settled(openCount: number, deadlineMs?: number): Promise<void>;
  /** Changes its behaviour from the next step on. */
  change(behaviour: Partial<PeerBehaviour>): void;
  /** Forgets XEP-0198 sessions, as a restart without memory would. */
  forgetSessions(): void;
  /** Drops every connection with a TCP RST; new ones are taken. */
  dropAll(): void;
  stop(): Promise<void>;
}

export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const { domain = "example.com", host = "127.0.0.1", port = 0, record = true, ...changes } = options;
  const authority = options.authority ?? (await makeAuthority());
  const certificate = options.certificate ?? (await authority.issue({ dnsNames: [domain] }));
  let behaviour: PeerBehaviour = { ...defaults, certificate, ...changes };
  const bell = makeBell();
  const connections: PeerConnection[] = [];
  let connectionCount = 0;
  let sawSasl = false;
  const messages: HandledMessage[] = [];
  const sockets = new Set<Socket>();
  const state: PeerState = {
    domain,
    sessions: new Map(),
    onMessage: (message) => {
      if (record) messages.push(message);
      bell.ring();
    },
  };

  const accept = async (socket: Socket): Promise<void> => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    const connection = new PeerConnection(socket, ++connectionCount, domain, () => behaviour, record, bell);
    connections.push(connection);
    socket.once("close", () => {
      sawSasl ||= connection.sawSasl;
      if (!record) connections.splice(connections.indexOf(connection), 1);
    });
    bell.ring();
    try {
      await dance(connection, state);
    } catch (error) {
      if (error instanceof Silence) return;
      // A failed handshake is the client's right; a mistake in a test's own hook must not pass in silence.
      if (error === connection.tlsError) return;
      connection.wire.reset();
      throw error;
    }
  };
  const server = createServer((socket) => void accept(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The peer has no port.");

  return {
    domain,
    host,
    port: address.port,
    authority,
    connections,
    messages,
    get connectionCount() {
      return connectionCount;
    },
    get openCount() {
      return sockets.size;
    },
    get sawSasl() {
      return sawSasl || connections.some((connection) => connection.sawSasl);
    },
    connection: (nth, deadlineMs = 5000) =>
      bell.until(() => connections.find(({ number }) => number === nth), deadlineMs, `connection ${nth}`),
    message: (fits = () => true, deadlineMs = 5000) =>
      bell.until(() => messages.find(fits), deadlineMs, "a message at the peer"),
    received: (fits, deadlineMs = 5000) =>
      bell.until(() => findStanza(connections, fits), deadlineMs, "a stanza at the peer"),
    settled: async (openCount, deadlineMs = 5000) => {
      await bell.until(() => sockets.size === openCount, deadlineMs, `${openCount} open connections at the peer`);
    },
    change: (next) => {
      behaviour = { ...behaviour, ...next };
    },
    forgetSessions: () => state.sessions.clear(),
    dropAll: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await within(stopDeadlineMs, "the peer to stop", closed);
    },
  };
}

const defaults: Omit<PeerBehaviour, "certificate"> = {
  accounts: { "alice@example.com": "secret" },
  security: "starttls",
  minVersion: undefined,
  maxVersion: undefined,
  mechanisms: ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"],
  channelBindings: undefined,
  iterations: 4096,
  streamManagement: true,
  resumption: "accept",
  ping: true,
  software: undefined,
  discoFeatures: undefined,
  maxStanzaBytes: undefined,
  ackPolicy: "all",
  bounce: undefined,
  answers: {},
  onStanza: undefined,
  fault: undefined,
};

function findStanza(
  connections: readonly PeerConnection[],
  fits: (stanza: XmlElement) => boolean,
): XmlElement | undefined {
  for (const { stanzas } of connections) {
    const found = stanzas.find(fits);
    if (found !== undefined) return found;
  }
  return undefined;
}
