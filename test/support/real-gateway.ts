/** A real server, the real app in front of it, and a client at which messages arrive: started and stopped as one. */

import { type AppGatewayOptions, type Gateway, startGateway } from "./gateway.ts";
import { hostsOf, type Server } from "./real-servers.ts";

export interface RealGateway<Client> {
  readonly server: Server;
  readonly gateway: Gateway;
  readonly client: Client;
  /** The client first, the server last; each of them also where another rejects. */
  stop(): Promise<void>;
}

/** Leaves nothing behind where it rejects. */
export async function startRealGateway<Client extends { close(): Promise<void> }>(
  startServer: () => Promise<Server>,
  logIn: (server: Server) => Promise<Client>,
  options: Omit<AppGatewayOptions, "hosts"> = {},
): Promise<RealGateway<Client>> {
  await using starting = new AsyncDisposableStack();
  const server = starting.adopt(await startServer(), (it) => it.stop());
  const gateway = starting.use(await startGateway({ ...options, hosts: hostsOf(server) }));
  const client = starting.adopt(await logIn(server), (it) => it.close());
  const started = starting.move();
  return { server, gateway, client, stop: () => started.disposeAsync() };
}
