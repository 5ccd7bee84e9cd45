/** The real servers as the tests of the gateway use them. */

import { type Ejabberd, startEjabberd } from "./ejabberd.ts";
import { type Prosody, startProsody } from "./prosody.ts";
import type { RealServerOptions } from "./real-server.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

export type Server = Prosody | Ejabberd;

/** For `describe.each`. */
export const realServers: readonly (readonly [string, (options: RealServerOptions) => Promise<Server>])[] = [
  ["Prosody", startProsody],
  ["ejabberd", startEjabberd],
];
/** For a server to start or to stop, with much else going on on the machine. */
export const startTimeoutMs = 60_000;

/** bob@example.com, whose password is "secret", over STARTTLS. */
export function startBob({ c2sPort, authority }: Server): Promise<Receiver> {
  return startReceiver({
    port: c2sPort,
    ca: authority.certificatePem,
    jid: "bob@example.com",
    password: "secret",
  });
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
