/** From endpoints to a connected TCP socket: one endpoint after another, and within each a race of its addresses. */

import type { Socket } from "node:net";
import { Failure } from "../errors.ts";
import { type RaceOptions, raceAddresses } from "./race.ts";
import type { Endpoint, Lookup } from "./resolve.ts";

export interface Dialled {
  /**
   * Connected, not read from yet, and the caller's to destroy. One error listener stays on it, so that an error nobody
   * waits for is not fatal; "close" follows every error.
   */
  readonly socket: Socket;
  readonly endpoint: Endpoint;
  readonly address: string;
}

export interface DialOptions {
  /** The XMPP domain, for what is said about failures. */
  readonly domain: string;
  readonly lookup: Lookup;
  readonly signal: AbortSignal;
  /** For one address to accept the connection; default 5 s. */
  readonly addressTimeoutMs?: number;
  /** The endpoints are what the domain's `connect` says, and not DNS. */
  readonly configured?: boolean;
  /** Begins to connect; for tests. */
  readonly connect?: RaceOptions["connect"];
}

/**
 * The first endpoint that accepts a TCP connection. Rejects with `server_unreachable` if no address did, with
 * `name_not_found` or `name_lookup_failed` if there was none to try, and with the signal's reason.
 */
export async function dial(endpoints: readonly Endpoint[], options: DialOptions): Promise<Dialled> {
  for await (const dialled of dialEach(endpoints, options)) return dialled;
  throw unreachable(options, [], [], []);
}

/**
 * As `dial`, for callers that go on to the next endpoint when one turns out useless above TCP: a socket for each endpoint
 * that accepts one, opened when it is asked for. Rejects as `dial` does only if there was none at all.
 */
export async function* dialEach(
  endpoints: readonly Endpoint[],
  options: DialOptions,
): AsyncGenerator<Dialled, void, undefined> {
  const { lookup, signal, addressTimeoutMs = 5_000, connect } = options;
  const misses: unknown[] = [];
  const lookupFailures: unknown[] = [];
  let reached = false;
  for (const endpoint of endpoints) {
    if (endpoint.srvFailure !== undefined) lookupFailures.push(endpoint.srvFailure);
    const race: RaceOptions = { lookup, signal, addressTimeoutMs, ...(connect === undefined ? {} : { connect }) };
    const result = await raceAddresses(endpoint, race);
    misses.push(...result.misses);
    lookupFailures.push(...result.lookupFailures);
    if (result.winner === undefined) continue;
    reached = true;
    yield { ...result.winner, endpoint };
  }
  if (!reached) throw unreachable(options, endpoints, misses, lookupFailures);
}

function unreachable(
  { domain, configured = false }: DialOptions,
  endpoints: readonly Endpoint[],
  misses: readonly unknown[],
  lookupFailures: readonly unknown[],
): Failure {
  const names = endpoints.map(({ hostname, port }) => `${hostname} port ${port}`).join(", ");
  const cause = new AggregateError([...misses, ...lookupFailures], `Tried: ${names}`);
  if (misses.length > 0) {
    return new Failure(
      "server_unreachable",
      `The XMPP server of "${domain}" could not be reached: no address of it accepted a connection (tried: ${misses.length}).`,
      { cause },
    );
  }
  if (lookupFailures.length > 0) {
    return new Failure(
      "name_lookup_failed",
      `The XMPP server of "${domain}" could not be found: DNS gave no answer about its address.`,
      { cause },
    );
  }
  const why = configured
    ? `its "connect" leads to "${endpoints[0]?.hostname}", which has no address`
    : "neither the domain nor an SRV record of it leads to an address";
  return new Failure("name_not_found", `The XMPP server of "${domain}" could not be found: ${why}.`, { cause });
}
