/** IP addresses where a host name may stand: in a JID (RFC 7622 section 3.2), in the setting `connect`. */

import { isIP } from "node:net";

/** The address, without the brackets of IPv6; undefined if it is a name. `127.1` and the like are not addresses. */
export function parseIpLiteral(host: string): string | undefined {
  const address = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return isIP(address) === 0 ? undefined : address;
}
