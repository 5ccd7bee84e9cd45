/** Where metrics are read, a listener of its own: what is told there is not for everybody who may send a message. */

import { hostInUrl, type Listener, openListener } from "../http/listen.ts";
import type { ListenAddress } from "../http/options.ts";
import { type Census, noTally, type Tally } from "../tally.ts";
import { createMetrics, type MetricsOptions } from "./metrics.ts";

export interface RunningMetrics {
  readonly tally: Tally;
  /** Such as "http://127.0.0.1:9590/metrics", or "unix:/run/post-msg/metrics.sock"; undefined: they are off. */
  readonly url: string | undefined;
  /** From here on how things stand is asked whenever the metrics are read. */
  observe(census: () => Census): void;
  stop(): Promise<void>;
}

export interface MetricsAddress {
  /** Undefined: nowhere. */
  readonly listen: ListenAddress | undefined;
  readonly socketMode: number;
  /** Handed over as the main address is, or a new process could not take that one over. */
  readonly reusePort: boolean;
}

const path = "/metrics";
const idleTimeoutSeconds = 30;
/** A scrape has no body. */
const maxBodyBytes = 1024;

/** Without an address nothing is counted. Rejects with an Error whose message says why the address cannot be had. */
export async function startMetrics(
  { listen, socketMode, reusePort }: MetricsAddress,
  options: MetricsOptions,
): Promise<RunningMetrics> {
  if (listen === undefined) {
    return { tally: noTally, url: undefined, observe: () => {}, stop: () => Promise.resolve() };
  }
  const metrics = createMetrics(options);
  const { tally, contentType, observe, read } = metrics;
  const server = await openListener(
    { listen, setting: "[metrics] listen", socketMode, takeOver: reusePort, tls: undefined },
    {
      idleTimeout: idleTimeoutSeconds,
      development: false,
      maxRequestBodySize: maxBodyBytes,
      fetch: async ({ url, method }) => {
        if (pathOf(url) !== path) return say(404, `Metrics are at ${path}.`);
        if (method !== "GET" && method !== "HEAD")
          return say(405, "Metrics are read with GET.", { Allow: "GET, HEAD" });
        return new Response(await read(), { headers: { "Content-Type": contentType } });
      },
    },
  ).catch((error) => {
    metrics.stop();
    throw error;
  });
  return {
    tally,
    url: urlOf(listen, server),
    observe,
    async stop() {
      metrics.stop();
      await server.cut();
    },
  };
}

/** Without a usable Host (HTTP/1.0) Bun gives the path alone. */
function pathOf(url: string): string | undefined {
  return URL.parse(url, "http://unnamed")?.pathname;
}

function say(status: number, sentence: string, headers: Record<string, string> = {}): Response {
  return new Response(`${sentence}\n`, { status, headers });
}

function urlOf(listen: ListenAddress, server: Listener): string {
  if ("unixPath" in listen) return `unix:${listen.unixPath}`;
  return `http://${hostInUrl(listen.hostname)}:${server.port}${path}`;
}
