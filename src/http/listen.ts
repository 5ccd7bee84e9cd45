/** Takes the address to listen on: a TCP port or a Unix socket, alone or from a process that is about to end. */

import { cannotListen, errorCode, explain } from "./cannot-listen.ts";
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

type Address = Pick<HttpOptions, "listen" | "socketMode" | "reusePort">;

/** Rejects with an Error whose message says why the address cannot be had. */
export async function openListener(address: Address, options: ServeOptions): Promise<Listener> {
  return "unixPath" in address.listen
    ? openSocket(address.listen.unixPath, address, options)
    : openPort(address.listen, address, options);
}

/** IPv6 addresses in brackets. */
export function hostInUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

async function openSocket(path: string, { socketMode, reusePort }: Address, options: ServeOptions): Promise<Listener> {
  const { idleTimeout: _, ...rest } = options; // Bun has one for TCP only.
  const place = { path, mode: socketMode, takeOver: reusePort };
  const { server, remove } = await placeSocket(place, (unix) => Bun.serve({ ...rest, unix }));
  const stop = (cut: boolean) => {
    remove();
    return server.stop(cut);
  };
  return { port: undefined, stop: () => stop(false), cut: () => stop(true) };
}

function openPort(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  { reusePort }: Address,
  options: ServeOptions,
): Listener {
  let server: BunServer;
  try {
    server = Bun.serve({ ...options, hostname, port, reusePort });
  } catch (error) {
    throw cannotListen(`${hostInUrl(hostname)}:${port}`, explain(errorCode(error)), error);
  }
  if (reusePort) preferNewest(server.port ?? port);
  return { port: server.port, stop: () => server.stop(), cut: () => server.stop(true) };
}
