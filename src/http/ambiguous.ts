/**
 * What two readers, such as a proxy and post-msg, could take for two different requests (RFC 9112 sections 3.2 and 6.3).
 * Most of it Bun's parser refuses with an empty 400; this is the rest.
 */

import { Failure } from "../errors.ts";
import { quote } from "./quote.ts";
import { readSingleHeader } from "./single-header.ts";

/** RFC 9110 section 7.2: a name, an IPv4 address or an IPv6 address in brackets, and perhaps a port; may be empty. */
const host = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?$/;

export function refuseAmbiguous(headers: Headers): void {
  readSingleHeader(headers, "content-length");
  const named = readSingleHeader(headers, "host") ?? "";
  if (!host.test(named)) {
    throw new Failure("bad_host", `The Host header ${quote(named)} could not be used; a name or an address is needed.`);
  }
}
