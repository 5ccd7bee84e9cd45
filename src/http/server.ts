/**
 * Listens, and hands each request to the routes. Bun's server is started here and not by Elysia's `listen`, which would
 * share the port with a second instance (reusePort) and leave a listener on the process for every start.
 */

import { createClientAddress } from "./client-address.ts";
import { type Door, openDoor, type Serve } from "./door.ts";
import { InFlight } from "./in-flight.ts";
import { hostInUrl } from "./listen.ts";
import type { HttpOptions, ListenAddress } from "./options.ts";
import { createRoutes } from "./routes.ts";

export interface HttpServer {
  /** Where messages are posted to: `http://127.0.0.1:5280/msg`, or `unix:/run/post-msg/http.sock`. */
  readonly url: string;
  /**
   * From now on requests are judged by these options, but for the address, and new connections see the new certificate.
   * Rejects with an Error whose message says why that cannot be; then nothing has changed. One call at a time.
   */
  reload(options: HttpOptions): Promise<void>;
  /**
   * Is not ready any more, refuses new connections, finishes the requests in flight, closes the idle connections. Where
   * another process may have the address by then (`reusePort`), connections that came here first are served for a moment.
   */
  stop(): Promise<void>;
  /** Ends every connection that is still there after `stop`, such as one whose request never came whole. */
  cut(): Promise<void>;
  /** Messages that are being served. */
  readonly inFlight: number;
}

/** Rejects with an Error whose message says why the address cannot be had. */
export async function startHttp(options: HttpOptions): Promise<HttpServer> {
  const { socketMode, reusePort } = options;
  const inFlight = new InFlight();
  let stopping = false;
  let { tls } = options;
  let serve = createServe(options);
  let door = await open(options, reusePort);
  /** Doors that were left, until they are closed. */
  const left = new Set<Door>();
  const listen: ListenAddress = door.port === undefined ? options.listen : { ...options.listen, port: door.port };
  return {
    url: urlOf(listen, options),
    reload,
    stop,
    cut,
    get inFlight() {
      return inFlight.count;
    },
  };

  async function reload(next: HttpOptions): Promise<void> {
    // A listener that speaks plain HTTP goes on to do so.
    if (next.tls !== undefined && tls !== undefined && isOther(next.tls, tls)) {
      // The newest of two is found by its place; where one of three closes, the kernel puts another one in its place.
      await Promise.all(Array.from(left, (each) => each.shut));
      const old = door;
      door = await open({ listen, socketMode, tls: next.tls }, true);
      tls = next.tls;
      left.add(old);
      void old.leave().finally(() => left.delete(old));
    }
    serve = createServe(next);
  }

  async function stop(): Promise<void> {
    stopping = true;
    const closed = reusePort ? door.leave() : door.stop();
    await Promise.all([closed, ...Array.from(left, (each) => each.stop())]);
  }

  async function cut(): Promise<void> {
    await Promise.all(Array.from([door, ...left], (each) => each.cut()));
  }

  function open(address: Pick<HttpOptions, "listen" | "socketMode" | "tls">, takeOver: boolean): Promise<Door> {
    return openDoor({ ...address, setting: "[http] listen", takeOver }, (request, peer) => serve(request, peer));
  }

  function createServe(served: HttpOptions): Serve {
    const clientAddress = createClientAddress(served.trustedProxies);
    /** Elysia's handlers see the request alone. */
    const peers = new WeakMap<Request, string>();
    const routes = createRoutes(served, {
      clientOf: (request) => clientAddress(peers.get(request), request.headers),
      isReady: () => !stopping,
      inFlight,
    });
    return (request, peer) => {
      if (peer !== undefined) peers.set(request, peer);
      return routes(request);
    };
  }
}

type Tls = NonNullable<HttpOptions["tls"]>;

function isOther(one: Tls, other: Tls): boolean {
  return one.certificates !== other.certificates || one.key !== other.key;
}

function urlOf(listen: ListenAddress, { tls, path }: HttpOptions): string {
  if ("unixPath" in listen) return `unix:${listen.unixPath}`;
  return `${tls === undefined ? "http" : "https"}://${hostInUrl(listen.hostname)}:${listen.port}${path}`;
}
