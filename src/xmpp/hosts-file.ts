/**
 * The hosts file (hosts(5)). Read here because the system's getaddrinfo, which would do it, cannot be cancelled: it holds
 * one of the process's few worker threads for as long as a name server cares to be silent, and password hashing needs those.
 */

import { readFile } from "node:fs/promises";
import { isIP } from "node:net";

export interface HostsEntry {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** What the file says about a name; undefined if it says nothing. A file that cannot be read says nothing. */
export async function readHostsFile(path: string, name: string): Promise<HostsEntry | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    // Without the file, or the right to read it, getaddrinfo asks DNS too.
    return undefined;
  }
  return findHost(text, name);
}

export function findHost(text: string, name: string): HostsEntry | undefined {
  const wanted = name.toLowerCase();
  const ipv4: string[] = [];
  const ipv6: string[] = [];
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (!names.some((each) => each.toLowerCase() === wanted)) continue;
    const family = isIP(address);
    if (family === 4) ipv4.push(address);
    if (family === 6) ipv6.push(address);
  }
  return ipv4.length + ipv6.length === 0 ? undefined : { ipv4, ipv6 };
}
