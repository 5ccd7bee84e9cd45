/**
 * A real ejabberd in a folder of its own, on free loopback ports, as any user. It is started by `erl` without its control
 * script and without a node name; the system's own ejabberd, its configuration and its data are not touched.
 */

import { join } from "node:path";
import { makeAuthority } from "./ca.ts";
import { type ChildProcess, startChild } from "./child-process.ts";
import { type EjabberdSettings, writeEjabberdConfig } from "./ejabberd-config.ts";
import { findFreePorts } from "./free-port.ts";
import { type RealServer, type RealServerOptions, splitBareJid } from "./real-server.ts";
import { makeTempFolder } from "./temp-folder.ts";

const startDeadlineMs = 40_000;
const stopDeadlineMs = 15_000;

export interface EjabberdOptions extends RealServerOptions {
  /** Further modules with their options, e.g. `{ mod_mam: {} }`. */
  readonly modules?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Replaces whole top-level entries of the configuration. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
}

export interface Ejabberd extends RealServer {
  readonly kind: "ejabberd";
  /** Of mod_http_api; a command's name follows behind a slash. */
  readonly apiUrl: string;
  /** One command of mod_http_api in the running server, e.g. `api("kick_user", { user, host })`; returns its JSON. */
  api(command: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** Resolves when clients can connect and all accounts exist. Takes some seconds. */
export async function startEjabberd(options: EjabberdOptions = {}): Promise<Ejabberd> {
  const folder = await makeTempFolder("post-msg-ejabberd-");
  const domains = options.domains ?? ["example.com"];
  const authority = options.authority ?? (await makeAuthority());
  const [c2sPort = 0, directTlsPort = 0, apiPort = 0] = await findFreePorts(3);
  const settings: EjabberdSettings = { ...options, domains, authority, folder, c2sPort, directTlsPort, apiPort };
  const configFile = await writeEjabberdConfig(settings);
  const environment = {
    PATH: process.env["PATH"],
    ERL_LIBS: await findErlangLibraries(),
    EJABBERD_CONFIG_PATH: configFile,
    EJABBERD_LOG_PATH: join(folder.path, "ejabberd.log"),
    HOME: folder.path,
  };
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const database = `"${join(folder.path, "database")}"`;
    const command = ["erl", "-noinput", "-mnesia", "dir", database, "-s", "ejabberd"];
    child = startChild(command, { cwd: folder.path, env: environment });
    await child.says(/ejabberd \S+ is started/, startDeadlineMs);
  };
  const shutDown = async (): Promise<void> => child?.terminate(stopDeadlineMs);
  const stop = async (): Promise<void> => {
    // Nothing of its data is wanted any more.
    await child?.kill();
    await folder.remove();
  };
  const apiUrl = `http://127.0.0.1:${apiPort}/api`;
  const api: Ejabberd["api"] = async (command, parameters) => {
    const response = await fetch(`${apiUrl}/${command}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(parameters),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`ejabberd's ${command} ended with ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  const register = async (jid: string, password: string): Promise<void> => {
    const [user, host] = splitBareJid(jid);
    await api("register", { user, host, password });
  };

  try {
    await start();
    for (const [jid, password] of Object.entries(options.accounts ?? {})) await register(jid, password);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    kind: "ejabberd",
    get pid() {
      return child?.pid ?? 0;
    },
    apiUrl,
    domain: domains[0] ?? "",
    host: "127.0.0.1",
    c2sPort,
    directTlsPort,
    authority,
    caFile: join(folder.path, "ca.pem"),
    folder: folder.path,
    api,
    register,
    changePassword: async (jid, newpass) => {
      const [user, host] = splitBareJid(jid);
      await api("change_password", { user, host, newpass });
    },
    deleteAccount: async (jid) => {
      const [user, host] = splitBareJid(jid);
      await api("unregister", { user, host });
    },
    start,
    shutDown,
    restart: async () => {
      await shutDown();
      await start();
    },
    kill: async () => child?.kill(),
    stop,
    log: () => child?.output() ?? "",
  };
}

/** Debian has them in a folder named after the processor. */
async function findErlangLibraries(): Promise<string> {
  const found = new Bun.Glob("/usr/lib/*/ejabberd-*/ebin/ejabberd.app").scan({ absolute: true, followSymlinks: true });
  for await (const file of found) return join(file, "../../..");
  throw new Error("ejabberd is not installed: no /usr/lib/*/ejabberd-*; the Debian package ejabberd has it.");
}
