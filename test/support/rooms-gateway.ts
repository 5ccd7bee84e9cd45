/** The real app in front of scripted rooms: what a test says in them, and what they then have heard. */

import { type AppGatewayOptions, type Gateway, startGateway } from "./gateway.ts";
import { hostOf } from "./gateway-config.ts";
import { ScriptedRooms } from "./peer/muc.ts";
import type { PeerBehaviour } from "./peer/options.ts";
import { type Peer, startPeer } from "./peer/peer.ts";

/** Any other room at rooms.example.com is as good. */
export const lobby = "lobby@rooms.example.com";

export interface RoomsGatewayOptions extends Omit<AppGatewayOptions, "hosts"> {
  /** How the server of the rooms behaves. */
  readonly behaviour?: Partial<PeerBehaviour>;
}

/** The body of an answer, with its status. */
export interface RoomsAnswer {
  readonly status: number;
  readonly outcome?: string;
  readonly [field: string]: unknown;
}

export interface RoomsGateway {
  readonly rooms: ScriptedRooms;
  readonly peer: Peer;
  readonly gateway: Gateway;
  /** As JSON, by alice. */
  post(message: object): Promise<RoomsAnswer>;
  /** What was done about rooms since the last look. */
  journal(): readonly string[];
  /** Stops the gateway, then the peer; the peer also where the gateway rejects. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Leaves nothing behind where it rejects. */
export async function startRoomsGateway({ behaviour, ...options }: RoomsGatewayOptions): Promise<RoomsGateway> {
  await using starting = new AsyncDisposableStack();
  const rooms = new ScriptedRooms();
  const peer = starting.adopt(await startPeer({ onStanza: rooms.onStanza, ...behaviour }), (it) => it.stop());
  const gateway = starting.use(await startGateway({ ...options, hosts: hostOf(peer, { grace: "0s" }) }));
  const started = starting.move();
  const stop = () => started.disposeAsync();
  return {
    rooms,
    peer,
    gateway,
    post: async (message) => {
      const headers = { "Content-Type": "application/json" };
      const response = await gateway.post("/msg/", JSON.stringify(message), { headers });
      return { ...JSON.parse(await response.text()), status: response.status };
    },
    journal: () => rooms.journal.splice(0),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
