/** What the peer's own tests share: a peer and clients that are gone after each test. */

import { afterEach } from "bun:test";
import type { Socket } from "node:net";
import { type Receiver, type ReceiverOptions, startReceiver } from "../receiver.ts";
import type { PeerOptions } from "./options.ts";
import { type Peer, startPeer } from "./peer.ts";

/** Called in reverse order after each test. */
export const owned: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

export async function givenPeer(options: PeerOptions = {}): Promise<Peer> {
  const peer = await startPeer(options);
  owned.push(peer.stop);
  return peer;
}

export async function login(peer: Peer, options: Partial<ReceiverOptions> = {}): Promise<Receiver> {
  const alice = { port: peer.port, jid: "alice@example.com", password: "secret", ca: peer.authority.certificatePem };
  const receiver = await startReceiver({ ...alice, ...options });
  owned.push(receiver.drop);
  return receiver;
}

/** The next bytes. */
export function once(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => socket.once("data", resolve));
}
