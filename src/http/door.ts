/**
 * One listener with all its connections. A door that is left loses no request: who has come is served, and told that the
 * next request shall go to whoever listens then.
 */

import { type Address, openListener } from "./listen.ts";

export interface Door {
  /** Undefined for a Unix socket. */
  readonly port: number | undefined;
  /** Refuses new connections, finishes the requests in flight, closes the idle connections. */
  stop(): Promise<void>;
  /** The same where another listener has the address already: first, whoever had come here is served for a moment. */
  leave(): Promise<void>;
  /** Resolves when no new connection can come any more. */
  readonly shut: Promise<void>;
  /** Ends every connection that is still there. */
  cut(): Promise<void>;
}

/** `peer`: the address that the connection comes from; undefined: it came over a Unix socket. */
export type Serve = (request: Request, peer: string | undefined) => Response | Promise<Response>;

/** For connections between two requests and for headers; a request that has begun has deadlines of its own. */
const idleTimeoutSeconds = 30;
/** Connections wait in the listener's queue, and callers between two requests may be about to send the next one. */
const lingerMs = 1_000;

/** Rejects with an Error whose message says why the address cannot be had. */
export async function openDoor(address: Address, serve: Serve): Promise<Door> {
  let closing = false;
  const shut = Promise.withResolvers<void>();
  const listener = await openListener(address, {
    idleTimeout: idleTimeoutSeconds,
    development: false,
    // Bun's own 413 has no body; body.ts counts and answers.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(received, bun) {
      // Bun's idle timeout would cut slow uploads and requests that wait for an acknowledgement.
      bun.timeout(received, 0);
      try {
        const response = await serve(forRouter(received), bun.requestIP(received)?.address);
        // Behind a CONNECT, which is refused, Bun reads no further request.
        if (closing || received.method === "CONNECT") response.headers.set("Connection", "close");
        return response;
      } finally {
        bun.timeout(received, idleTimeoutSeconds);
      }
    },
  });
  return {
    port: listener.port,
    shut: shut.promise,
    stop,
    async leave() {
      closing = true;
      await Bun.sleep(lingerMs);
      await stop();
    },
    cut: () => listener.cut(),
  };

  function stop(): Promise<void> {
    closing = true;
    const stopped = listener.stop();
    shut.resolve();
    return stopped;
  }
}

/**
 * The router looks for the path behind "http://". Without a usable Host (HTTP/1.0) Bun gives the path alone, and of a
 * CONNECT only host and port, which are no path.
 */
function forRouter(request: Request): Request {
  const { url } = request;
  if (url.startsWith("http://")) return request;
  if (url.startsWith("https://")) return new Request(`http${url.slice("https".length)}`, request);
  return new Request(`http://unnamed${url.startsWith("/") ? url : "/"}`, request);
}
