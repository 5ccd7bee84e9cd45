/** A client of slixmpp, from Debian: an XMPP library that has nothing in common with this program or these tests. */

import { join } from "node:path";
import { startChild } from "./child-process.ts";
import type { RealServer } from "./real-server.ts";

/** A message as slixmpp's own plug-ins understand it; see slixmpp-client.py. */
export interface Understood {
  readonly id: string;
  readonly [name: string]: unknown;
}

export interface SlixmppClient {
  /** The message with this id, once it is there. */
  message(id: string): Promise<Understood>;
  close(): Promise<void>;
}

const startDeadlineMs = 30_000;
const messageDeadlineMs = 10_000;
/** Debian's own, whatever else is on the path: only that one sees Debian's packages. */
const python = "/usr/bin/python3";

/** Logs in as bob of that server's domain, with the password "secret". */
export async function startSlixmpp(server: RealServer): Promise<SlixmppClient> {
  const { domain, host, c2sPort, caFile } = server;
  const program = join(import.meta.dir, "slixmpp-client.py");
  const child = startChild([python, program, `bob@${domain}`, "secret", host, String(c2sPort), caFile]);
  try {
    await child.says(/^\{"ready": /m, startDeadlineMs);
  } catch (error) {
    await child.kill();
    throw error;
  }
  const lines = () =>
    child
      .output()
      .split("\n")
      .filter((line) => line.startsWith('{"id": '));
  return {
    message: async (id) => {
      const written = JSON.stringify(id).replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
      await child.says(new RegExp(`^\\{"id": ${written}, .*\\}$`, "m"), messageDeadlineMs);
      const found = lines()
        .map((line): Understood => JSON.parse(line))
        .find((message) => message.id === id);
      if (found === undefined) throw new Error(`There is no message ${id}.`);
      return found;
    },
    close: () => child.terminate(),
  };
}
