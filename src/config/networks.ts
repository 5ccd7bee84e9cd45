/** Addresses and networks, as in trusted_proxies: "10.0.0.0/8", "2001:db8::/32", "127.0.0.1". */

import { isIP } from "node:net";
import { showText } from "./problem.ts";
import type { Read } from "./values.ts";

export interface Network {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: "ipv4" | "ipv6";
}

export const proxyRule = `must be a list of addresses and networks such as "127.0.0.1" or "10.0.0.0/8"`;

export function parseNetwork(text: string): Read<Network> {
  const [, address = "", bits] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const prefixBits = bits === undefined ? most : Number(bits);
  if (version === 0 || prefixBits > most) return { rule: `${proxyRule}; ${showText(text)} is none` };
  return { value: { address, prefixBits, family: version === 6 ? "ipv6" : "ipv4" } };
}
