/** Throttles that let everything through, for tests about something else. */

import type { ThrottleOptions } from "../../src/session/throttle.ts";

export const openThrottle: ThrottleOptions = {
  rememberFailureMs: 0,
  failureDelayMs: 0,
  addressPerMinute: 1_000_000,
  addressPerDay: 1_000_000,
  accountPerHour: 1_000_000,
  serverFailures: 1_000_000,
  serverFailuresBurst: 1_000_000,
};
