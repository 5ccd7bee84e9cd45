/**
 * Where a request comes from, as far as throttles tell callers apart: the peer, or, behind proxies that are trusted, the
 * right-most address that is not one of them. Whatever a client itself puts into those headers stands further left.
 */

import { BlockList, isIP } from "node:net";
import { keyedHash } from "../keyed-hash.ts";

export interface ProxyNetwork {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: "ipv4" | "ipv6";
}

/**
 * Returns a function from a request's peer address and headers to the client's group: an IPv4 address, an IPv6 /64, or a
 * name for what is neither.
 */
export function createClientAddress(
  trusted: readonly ProxyNetwork[],
): (peer: string | undefined, headers: Headers) => string {
  const proxies = new BlockList();
  for (const { address, prefixBits, family } of trusted) proxies.addSubnet(address, prefixBits, family);

  return (peer, headers) => {
    // Over a Unix socket there is no address, and whoever may open it is trusted with the headers.
    let client = peer === undefined ? "local" : plain(peer);
    const hops = trusted.length === 0 ? [] : readHops(headers);
    while (hops.length > 0 && (client === "local" || isTrusted(client))) {
      const hop = hops.pop();
      if (hop === undefined) break;
      client = hop;
    }
    return groupOf(client);
  };

  function isTrusted(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && proxies.check(address, version === 6 ? "ipv6" : "ipv4");
  }
}

/** Left to right. X-Forwarded-For where there is one, since proxies that know both write it; else Forwarded (RFC 7239). */
function readHops(headers: Headers): string[] {
  const list = headers.get("x-forwarded-for");
  if (list !== null) return list.split(",").map(readNode);
  const forwarded = headers.get("forwarded");
  if (forwarded === null) return [];
  return forwarded.split(",").map((element) => {
    const [, quoted, token] = /(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;\s]*))/i.exec(element) ?? [];
    const node = quoted ?? token;
    // Left out, it would make the next one on the left the right-most.
    return readNode(node ?? "unknown");
  });
}

/** Without a port; what is no address groups callers all the same. */
function readNode(text: string): string {
  const node = text.trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(node) ?? [];
  if (bracketed !== undefined) return plain(bracketed);
  const [, v4] = /^(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(node) ?? [];
  return plain(v4 ?? node).slice(0, 64);
}

/** IPv4 in IPv6 is IPv4. */
function plain(address: string): string {
  const [, v4] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return v4 ?? address;
}

/** What stands for no address, and is nobody's text. */
const names = ["", "local", "unknown"];

/** One customer has a /64 of IPv6 at the least. What is no address may be anything, and this goes into the log. */
function groupOf(address: string): string {
  const version = isIP(address);
  if (version === 0) return names.includes(address) ? address : `other:${keyedHash(address).slice(0, 12)}`;
  if (version === 4) return address;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}
