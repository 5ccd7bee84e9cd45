/** Makes a fault happen on a connection. */

import type { PeerConnection } from "./connection.ts";
import { type Fault, garbage } from "./fault.ts";
import { saslFailure } from "./replies.ts";
import { SaslRefusal } from "./sasl-refusal.ts";

/** The peer will say nothing more on this connection. */
export class Silence extends Error {}

/** Returns when the dance goes on as if nothing had happened; throws otherwise. */
export async function applyFault(
  { how, afterBytes }: Fault,
  proper: string,
  connection: PeerConnection,
): Promise<void> {
  const { wire } = connection;
  if (afterBytes !== undefined) wire.send(Buffer.from(proper).subarray(0, afterBytes));
  const rest = Buffer.from(proper).subarray(afterBytes ?? 0);
  if (typeof how === "string") {
    switch (how) {
      case "hang":
        break;
      case "stop-reading":
        wire.stopReading();
        break;
      case "close":
        wire.end();
        break;
      case "end":
        wire.send("</stream:stream>");
        wire.end();
        break;
      case "reset":
        wire.reset();
        break;
      case "garbage":
        wire.send(garbage);
        break;
      case "one-byte-at-a-time":
        wire.slow = true;
        connection.send(rest);
        return;
    }
    throw new Silence();
  }
  if ("delayMs" in how) {
    await Bun.sleep(how.delayMs);
    connection.send(rest);
    return;
  }
  if ("streamError" in how) connection.fail(how.streamError, how.text, how.extra);
  if ("saslFailure" in how) {
    wire.send(saslFailure(how.saslFailure, how.text));
    throw new SaslRefusal(how.saslFailure);
  }
  connection.send(how.send);
  if (how.then === "close") wire.end();
  if (how.then === "reset") wire.reset();
  if (how.then !== undefined && how.then !== "go-on") throw new Silence();
}
