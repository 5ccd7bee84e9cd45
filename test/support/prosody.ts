/**
 * A real Prosody in a folder of its own, on free loopback ports. It stays in the foreground as our child; the system's
 * own Prosody, its configuration and its data are not touched.
 */

import { join } from "node:path";
import { makeAuthority } from "./ca.ts";
import { type ChildProcess, runToEnd, startChild } from "./child-process.ts";
import { findFreePorts } from "./free-port.ts";
import { type ProsodySettings, writeProsodyConfig } from "./prosody-config.ts";
import { type RealServer, type RealServerOptions, splitBareJid } from "./real-server.ts";
import { makeTempFolder } from "./temp-folder.ts";

const startDeadlineMs = 20_000;

export interface ProsodyOptions extends RealServerOptions {
  /** Beside the ones every test server has, e.g. "mam". */
  readonly modules?: readonly string[];
  /** Lua for the global section of the configuration, e.g. `storage_archive_item_limit = 20`. */
  readonly extraConfig?: string;
}

export interface Prosody extends RealServer {
  readonly kind: "prosody";
  /** One command of `prosodyctl shell` in the running server, e.g. `shell("c2s", "closeall")`; returns what it printed. */
  shell(...command: string[]): Promise<string>;
}

/** Resolves when clients can connect and all accounts exist. */
export async function startProsody(options: ProsodyOptions = {}): Promise<Prosody> {
  const folder = await makeTempFolder("post-msg-prosody-");
  const domains = options.domains ?? ["example.com"];
  const authority = options.authority ?? (await makeAuthority());
  const [c2sPort = 0, directTlsPort = 0] = await findFreePorts(2);
  const settings: ProsodySettings = { ...options, domains, authority, folder, c2sPort, directTlsPort };
  const configFile = await writeProsodyConfig(settings);
  const control = (...command: string[]) => runToEnd(["prosodyctl", "--config", configFile, ...command]);
  let process: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    process = startChild(["prosody", "--config", configFile, "-F"]);
    // Logged once the port is bound; with TLS, "c2s_direct_tls" comes in either order.
    const services = options.security === "plain" ? ["c2s"] : ["c2s", "c2s_direct_tls"];
    await Promise.all(
      services.map((service) => process?.says(new RegExp(`Activated service '${service}' on \\[`), startDeadlineMs)),
    );
  };
  const shutDown = async (): Promise<void> => process?.terminate();
  const stop = async (): Promise<void> => {
    await process?.terminate();
    await folder.remove();
  };

  try {
    for (const [jid, password] of Object.entries(options.accounts ?? {})) {
      await control("register", ...splitBareJid(jid), password);
    }
    await start();
  } catch (error) {
    await stop();
    throw error;
  }

  const shell = (...command: string[]) => control("shell", ...command);
  return {
    kind: "prosody",
    get pid() {
      return process?.pid ?? 0;
    },
    domain: domains[0] ?? "",
    host: "127.0.0.1",
    c2sPort,
    directTlsPort,
    authority,
    caFile: join(folder.path, "ca.pem"),
    folder: folder.path,
    shell,
    register: async (jid, password) => void (await shell("user", "create", jid, password)),
    changePassword: async (jid, password) => void (await shell("user", "password", jid, password)),
    deleteAccount: async (jid) => void (await shell("user", "delete", jid)),
    start,
    shutDown,
    restart: async () => {
      await shutDown();
      await start();
    },
    kill: async () => process?.kill(),
    stop,
    log: () => process?.output() ?? "",
  };
}
