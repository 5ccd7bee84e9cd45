/** Sessions that wait long, take much, and tell nobody what happens to them, for tests about something else. */

import { ConferenceServices } from "../../src/session/conference-services.ts";
import type { SessionOptions } from "../../src/session/entry.ts";

/** With these in place of the usual ones. */
export function makeSessionOptions(changes: Partial<SessionOptions> = {}): SessionOptions {
  return {
    ackTimeoutMs: 5000,
    loginTimeoutMs: 5000,
    maxPending: 1000,
    maxPendingBytes: 1_000_000,
    services: new ConferenceServices(),
    pause: () => undefined,
    onLateBounce: () => {},
    onLost: () => {},
    onRecovered: () => {},
    ...changes,
  };
}
