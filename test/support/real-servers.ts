/** Both real servers for one table of tests, the addresses by which a gateway and a receiver reach one, and its sessions. */

import { type Ejabberd, type EjabberdOptions, startEjabberd } from "./ejabberd.ts";
import { type ConfigTables, hostOf } from "./gateway-config.ts";
import { type Prosody, type ProsodyOptions, startProsody } from "./prosody.ts";
import type { RealServer, RealServerOptions } from "./real-server.ts";
import { type Receiver, type ReceiverOptions, startReceiver } from "./receiver.ts";

/** Which of them it is, and with that what it alone can do, its `kind` says. */
export type Server = Prosody | Ejabberd;

/** For a server to start or to stop, with much else going on on the machine. */
export const startTimeoutMs = 60_000;

export interface BothOptions extends RealServerOptions {
  /** What only one of them understands. */
  readonly prosody?: Pick<ProsodyOptions, "modules" | "extraConfig">;
  readonly ejabberd?: Pick<EjabberdOptions, "modules" | "extraConfig">;
}

type StartServer = (options: BothOptions) => Promise<Server>;

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

/** bob@example.com, whose password is "secret", over STARTTLS. */
export function startBob(server: RealServer): Promise<Receiver> {
  return logInReceiver(server, "bob@example.com");
}

/** How many sessions a user has, by the server's own account. */
export async function countSessions(server: Server, user: string): Promise<number> {
  if (server.kind === "prosody") {
    const table = await server.shell("c2s", "show");
    if (!/^OK: \d+ c2s sessions? shown$/m.test(table)) throw new Error(`Prosody did not list sessions:\n${table}`);
    return table.split("\n").filter((row) => row.includes(` ${user}@${server.domain}/`)).length;
  }
  const resources = await server.api("user_resources", { user, host: server.domain });
  if (!Array.isArray(resources)) throw new Error("ejabberd did not list resources.");
  return resources.length;
}
