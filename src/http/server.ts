/**
 * Listens, and hands each request to the routes. Bun's server is started here and not by Elysia's `listen`, which would
 * share the port with a second instance (reusePort) and leave a listener on the process for every start.
 */

import { createClientAddress } from "./client-address.ts";
import { type BunServer, hostInUrl, openAddress } from "./listen.ts";
import type { HttpOptions } from "./options.ts";
import { createRoutes } from "./routes.ts";

export interface HttpServer {
  /** Where messages are posted to: `http://127.0.0.1:5280/msg`, or `unix:/run/post-msg/http.sock`. */
  readonly url: string;
  /** Refuses new connections, finishes the requests in flight, closes the idle connections. */
  stop(): Promise<void>;
  /** Ends every connection that is still there after `stop`, such as one whose request never came whole. */
  cut(): Promise<void>;
}

/** For connections between two requests and for headers; a request that has begun has deadlines of its own. */
const idleTimeoutSeconds = 30;

/** Rejects with an Error whose message says why the address cannot be had. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const clientAddress = createClientAddress(options.trustedProxies);
  /** Elysia's handlers see the request alone. */
  const peers = new WeakMap<Request, string>();
  const routes = createRoutes(options, (request) => clientAddress(peers.get(request), request.headers));
  const server = await openAddress(options.listen, {
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
        return await routes(request);
      } finally {
        bun.timeout(received, idleTimeoutSeconds);
      }
    },
  });
  return { url: urlOf(options, server), stop: () => server.stop(), cut: () => server.stop(true) };
}

function urlOf({ listen, path }: HttpOptions, server: BunServer): string {
  if ("unixPath" in listen) return `unix:${listen.unixPath}`;
  return `http://${hostInUrl(listen.hostname)}:${server.port}${path}`;
}

/** Without a usable Host (HTTP/1.0) Bun gives the path alone, which the router would misread. */
function withAbsoluteUrl(request: Request): Request {
  return request.url.startsWith("/") ? new Request(`http://unnamed${request.url}`, request) : request;
}
