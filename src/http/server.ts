/**
 * Listens, and hands each request to the routes. Bun's server is started here and not by Elysia's `listen`, which would
 * share the port with a second instance (reusePort) and leave a listener on the process for every start.
 */

import { createClientAddress } from "./client-address.ts";
import { InFlight } from "./in-flight.ts";
import { hostInUrl, type Listener, openListener } from "./listen.ts";
import type { HttpOptions } from "./options.ts";
import { createRoutes } from "./routes.ts";

export interface HttpServer {
  /** Where messages are posted to: `http://127.0.0.1:5280/msg`, or `unix:/run/post-msg/http.sock`. */
  readonly url: string;
  /**
   * Is not ready any more, refuses new connections, finishes the requests in flight, closes the idle connections. Where
   * another process may have the address by then (`reusePort`), connections that came here first are served for a moment.
   */
  stop(): Promise<void>;
  /** Ends every connection that is still there after `stop`, such as one whose request never came whole. */
  cut(): Promise<void>;
}

/** For connections between two requests and for headers; a request that has begun has deadlines of its own. */
const idleTimeoutSeconds = 30;
/** How long connections are still served when another listener has the address: theirs may wait in the queue, or be idle. */
const lingerMs = 1_000;

/** Rejects with an Error whose message says why the address cannot be had. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const clientAddress = createClientAddress(options.trustedProxies);
  /** Elysia's handlers see the request alone. */
  const peers = new WeakMap<Request, string>();
  let stopping = false;
  const routes = createRoutes(options, {
    clientOf: (request) => clientAddress(peers.get(request), request.headers),
    isReady: () => !stopping,
    inFlight: new InFlight(),
  });
  const listener = await openListener(options, {
    idleTimeout: idleTimeoutSeconds,
    development: false,
    // Bun's own 413 has no body; body.ts counts and answers.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(received, bun) {
      // Bun's idle timeout would cut slow uploads and requests that wait for an acknowledgement.
      bun.timeout(received, 0);
      const request = withAbsoluteUrl(received);
      const peer = bun.requestIP(received)?.address;
      if (peer !== undefined) peers.set(request, peer);
      try {
        const response = await routes(request);
        // The next request of this caller shall go to whoever listens then.
        if (stopping) response.headers.set("Connection", "close");
        return response;
      } finally {
        bun.timeout(received, idleTimeoutSeconds);
      }
    },
  });
  return { url: urlOf(options, listener), stop, cut: () => listener.cut() };

  async function stop(): Promise<void> {
    stopping = true;
    if (options.reusePort) await Bun.sleep(lingerMs);
    await listener.stop();
  }
}

function urlOf({ listen, path }: HttpOptions, { port }: Listener): string {
  if ("unixPath" in listen) return `unix:${listen.unixPath}`;
  return `http://${hostInUrl(listen.hostname)}:${port}${path}`;
}

/** Without a usable Host (HTTP/1.0) Bun gives the path alone, which the router would misread. */
function withAbsoluteUrl(request: Request): Request {
  return request.url.startsWith("/") ? new Request(`http://unnamed${request.url}`, request) : request;
}
