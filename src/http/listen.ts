/** Takes the address to listen on: a TCP port or a Unix socket, alone or from a listener that is about to close. */

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { cannotListen, errorCode, explainPort, type ListenSetting } from "./cannot-listen.ts";
import { preferNewest } from "./newest-listener.ts";
import type { HttpOptions } from "./options.ts";
import { placeSocket } from "./unix-socket.ts";

export type BunServer = Bun.Server<undefined>;

export interface ServeOptions {
  readonly idleTimeout: number;
  readonly development: false;
  readonly maxRequestBodySize: number;
  fetch(request: Request, server: BunServer): Promise<Response>;
}

export interface Listener {
  /** Undefined for a Unix socket. */
  readonly port: number | undefined;
  /** Refuses new connections, finishes the requests in flight, closes idle connections. */
  stop(): Promise<void>;
  /** Ends every connection that is still there. */
  cut(): Promise<void>;
}

export interface Address extends Pick<HttpOptions, "listen" | "socketMode" | "tls"> {
  /** Which one it is, for who has to change it. */
  readonly setting: ListenSetting;
  /** Whoever listens there already closes soon; else it is refused. */
  readonly takeOver: boolean;
}

/** Rejects with an Error whose message says why the address cannot be had. */
export async function openListener(address: Address, options: ServeOptions): Promise<Listener> {
  const { listen, tls } = address;
  const serve = tls === undefined ? options : { ...options, tls: { cert: tls.certificates, key: tls.key } };
  return "unixPath" in listen ? openSocket(listen.unixPath, address, serve) : openPort(listen, address, serve);
}

/** IPv6 addresses in brackets. */
export function hostInUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

async function openSocket(
  path: string,
  { setting, socketMode, takeOver }: Address,
  options: ServeOptions,
): Promise<Listener> {
  const { idleTimeout: _, ...rest } = options; // Bun has one for TCP only.
  const { server, remove } = await placeSocket({ path, setting, mode: socketMode, takeOver }, (unix) =>
    Bun.serve({ ...rest, unix }),
  );
  const stop = (cut: boolean) => {
    remove();
    return server.stop(cut);
  };
  return { port: undefined, stop: () => stop(false), cut: () => stop(true) };
}

interface Port {
  readonly hostname: string;
  readonly port: number;
}

/** A certificate is renewed by a second listener on the same port, since Bun keeps the one that it began with. */
async function openPort(
  { hostname, port }: Port,
  { setting, takeOver, tls }: Address,
  options: ServeOptions,
): Promise<Listener> {
  const shares = takeOver || tls !== undefined;
  try {
    // Of a name without an address, Bun says that it is in use.
    if (isIP(hostname) === 0) await lookup(hostname);
    if (shares && !takeOver && port !== 0) refuseTaken({ hostname, port });
    const server = Bun.serve({ ...options, hostname, port, reusePort: shares });
    if (shares) preferNewest(server.port ?? port);
    return { port: server.port, stop: () => server.stop(), cut: () => server.stop(true) };
  } catch (error) {
    const address = `${hostInUrl(hostname)}:${port}`;
    throw cannotListen({ address, setting }, explainPort(errorCode(error), port), error);
  }
}

/** One that may be shared is not refused by the system where others share it too. */
function refuseTaken({ hostname, port }: Port): void {
  Bun.listen({ hostname, port, exclusive: true, socket: { data() {} } }).stop(true);
}
