/** Where a host stands, in the configuration and in the network, and how that is written. */

import type { EndpointFound } from "../findings.ts";

/** Where the host stands in the configuration. */
export interface Place {
  /** The configuration file, as the user named it. */
  readonly file: string;
  readonly domain: string;
  /** The account that is logged in with; undefined: none. */
  readonly account: string | undefined;
  /** As in the configuration, such as "xmpp://192.0.2.7:5222"; undefined: DNS. */
  readonly connect: string | undefined;
  readonly hasCaFile: boolean;
  readonly maxStanzaBytes: number;
}

export function showEndpoint({ hostname, port }: EndpointFound): string {
  return showAddress(hostname, port);
}

export function showAddress(address: string, port: number): string {
  return `${address} port ${port}`;
}
