/**
 * The system's way from names to addresses: the hosts file, then DNS. Names are always absolute: no search list is
 * applied, so no query leaves for a name that nobody wrote.
 */

import { Resolver } from "node:dns/promises";
import { type HostsEntry, readHostsFile } from "./hosts-file.ts";
import type { Lookup } from "./resolve.ts";

export interface SystemLookupOptions {
  /** `address` or `address:port`; default: those of /etc/resolv.conf, read anew for each query. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
}

/** Safe to share by all logins: it keeps no state. */
export function systemLookup({ servers, hostsFile = "/etc/hosts" }: SystemLookupOptions = {}): Lookup {
  const known = async (name: string): Promise<HostsEntry | undefined> =>
    (await readHostsFile(hostsFile, name)) ?? (isLocalhost(name) ? loopback : undefined);
  return {
    srv: async (name, signal) => {
      if (isLocalhost(name)) return [];
      const records = await ask(servers, signal, (resolver) => resolver.resolveSrv(name));
      return records.map(({ priority, weight, port, name: target }) => ({ priority, weight, port, target }));
    },
    a: async (name, signal) =>
      (await known(name))?.ipv4 ?? (await ask(servers, signal, (resolver) => resolver.resolve4(name))),
    aaaa: async (name, signal) =>
      (await known(name))?.ipv6 ?? (await ask(servers, signal, (resolver) => resolver.resolve6(name))),
  };
}

/** RFC 6761 section 6.3: these are never asked of DNS. */
function isLocalhost(name: string): boolean {
  return /(?:^|\.)localhost$/i.test(name);
}

const loopback: HostsEntry = { ipv4: ["127.0.0.1"], ipv6: ["::1"] };

/** One resolver for each query: `cancel()` ends all queries of a resolver. */
async function ask<T>(
  servers: readonly string[] | undefined,
  signal: AbortSignal,
  query: (resolver: Resolver) => Promise<T[]>,
): Promise<T[]> {
  signal.throwIfAborted();
  // A lost datagram is sent again after 1 s and 3 s, or to the next server; Bun's default would take 24 s to give up.
  const resolver = new Resolver({ timeout: 1_000, tries: 3 });
  if (servers !== undefined) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    return await query(resolver);
  } catch (error) {
    if (isNothingThere(error)) return [];
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Bun says ENOTFOUND for NXDOMAIN, NODATA and for a name that DNS cannot carry; Node tells the second as ENODATA. */
function isNothingThere(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTFOUND" || code === "ENODATA";
}
