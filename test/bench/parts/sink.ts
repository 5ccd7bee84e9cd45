/** The scripted peer as a sink: its hosts, with a verdict that waits for the acknowledgement alone, as with Prosody. */

import type { ConfigTables } from "../../support/gateway-config.ts";

export function withoutGrace(hosts: ConfigTables["hosts"]): ConfigTables["hosts"] {
  return Object.fromEntries(
    Object.entries(hosts).map(([domain, host]) => [domain, { ...host, more: { ...host.more, grace: "0s" } }]),
  );
}
