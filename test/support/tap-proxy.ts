/** A TCP proxy on loopback that keeps what passes, for streams without TLS. */

import { connect, createServer, type Socket } from "node:net";
import { makeBell, within } from "./wait.ts";

export interface TapProxy {
  readonly port: number;
  /** All that clients have said, over all connections. */
  readonly said: string;
  /** All that the server has answered. */
  readonly heard: string;
  /** Resolves when `said` fits. */
  saying(fits: (said: string) => boolean, what: string, deadlineMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startTapProxy(targetPort: number): Promise<TapProxy> {
  let said = "";
  let heard = "";
  const bell = makeBell();
  const sockets = new Set<Socket>();
  const join = (from: Socket, to: Socket, keep: (text: string) => void) => {
    sockets.add(from);
    from.on("data", (bytes) => {
      keep(bytes.toString());
      to.write(bytes);
      bell.ring();
    });
    from.once("end", () => to.end());
    // "close" follows every error.
    from.on("error", () => {});
    from.once("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(targetPort, "127.0.0.1");
    join(client, upstream, (text) => {
      said += text;
    });
    join(upstream, client, (text) => {
      heard += text;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  return {
    port: address.port,
    get said() {
      return said;
    },
    get heard() {
      return heard;
    },
    saying: async (fits, what, deadlineMs = 10_000) => void (await bell.until(() => fits(said), deadlineMs, what)),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await within(2_000, "the proxy to stop", closed);
    },
  };
}
