/**
 * A gateway between two XMPP servers: one that a test makes hostile, with alice's session on it, and one that is none of
 * its business, with carol's. Whatever happens to the first must not be noticed on the second.
 */

import { expect } from "bun:test";
import { type Gateway, type GatewayOptions, type LogLine, startGateway } from "./gateway.ts";
import { type HostTable, hostOf } from "./gateway-config.ts";
import type { PeerConnection } from "./peer/connection.ts";
import type { PeerOptions } from "./peer/options.ts";
import { type Peer, startPeer } from "./peer/peer.ts";

export interface HostilePair extends AsyncDisposable {
  readonly hostile: Peer;
  readonly other: Peer;
  readonly gateway: Gateway;
  /** As alice, through the hostile server. */
  send(body?: string, to?: string): Promise<Response>;
  /** Logs alice in with a message, and returns her connection at the hostile server. */
  enter(): Promise<PeerConnection>;
  /** The line that says why a session at the hostile server ended. */
  ended(): Promise<LogLine>;
  /** Fails unless carol's messages go on over her first connection. */
  expectOthersUntouched(): Promise<void>;
}

export async function startHostilePair(
  options: PeerOptions = {},
  settings: GatewayOptions["settings"] = {},
  more: HostTable["more"] = {},
): Promise<HostilePair> {
  const hostile = await startPeer(options);
  const accounts = { "carol@example.org": "secret" };
  const other = await startPeer({ domain: "example.org", accounts });
  const security = { insecure_plaintext: options.security === "plain", grace: "0s", ...more };
  const gateway = await startGateway({
    hosts: { ...hostOf(hostile, security, options.security === "direct" ? "xmpps" : "xmpp"), ...hostOf(other) },
    settings,
  });
  const send = (body = "hi", to = "bob@example.com") => gateway.post(`/msg/${encodeURIComponent(to)}`, body);
  const sendElsewhere = () => gateway.post("/msg/dave@example.org", "hello", { user: "carol@example.org:secret" });
  expect((await sendElsewhere()).status).toBe(201);
  return {
    hostile,
    other,
    gateway,
    send,
    enter: async () => {
      const before = hostile.connectionCount;
      expect((await send("the first")).status).toBe(201);
      return hostile.connection(before + 1);
    },
    ended: () => gateway.logged(({ msg, domain }) => msg === "session ended" && domain === hostile.domain),
    expectOthersUntouched: async () => {
      expect((await sendElsewhere()).status).toBe(201);
      expect([other.connectionCount, other.openCount]).toEqual([1, 1]);
    },
    [Symbol.asyncDispose]: async () => {
      await gateway.stop();
      await Promise.all([hostile.stop(), other.stop()]);
    },
  };
}
