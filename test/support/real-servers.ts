/** Both real servers for one table of tests, and the addresses by which a gateway and a receiver reach one. */

import { type Ejabberd, type EjabberdOptions, startEjabberd } from "./ejabberd.ts";
import { type ConfigTables, hostOf } from "./gateway-config.ts";
import { type Prosody, type ProsodyOptions, startProsody } from "./prosody.ts";
import type { RealServer, RealServerOptions } from "./real-server.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "./receiver.ts";

export interface BothOptions extends RealServerOptions {
  /** What only one of them understands. */
  readonly prosody?: Pick<ProsodyOptions, "modules" | "extraConfig">;
  readonly ejabberd?: Pick<EjabberdOptions, "modules" | "extraConfig">;
}

type StartServer = (options: BothOptions) => Promise<Prosody | Ejabberd>;

/** For `test.each` and `describe.each`. */
export const realServers: readonly (readonly [name: string, start: StartServer])[] = [
  ["Prosody", ({ prosody, ejabberd: _, ...options }) => startProsody({ ...options, ...prosody })],
  ["ejabberd", ({ ejabberd, prosody: _, ...options }) => startEjabberd({ ...options, ...ejabberd })],
];

/** The `hosts` of a gateway in front of it, by way of `port` where that is not the server's own. */
export function hostsOf(server: RealServer, more: Parameters<typeof hostOf>[1] = {}, port = server.c2sPort): Hosts {
  return hostOf({ ...server, port }, more);
}

type Hosts = ConfigTables["hosts"];

/** An account of the server with the password "secret", online. */
export function logInReceiver(server: RealServer, jid: string, more: Partial<ReceiverOptions> = {}): Promise<Receiver> {
  const ca = server.authority.certificatePem;
  return startReceiver({ port: server.c2sPort, ca, jid, password: "secret", ...more });
}
