/** The log of refusals that came too late. A server can send them at the speed of its line, so what is written is bounded. */

import type { Bounce } from "../link.ts";
import type { Log } from "../log.ts";

const periodMs = 60_000;
const mostInPeriod = 1_000;

/** For one session; the next one that is written says how many were not. */
export function createLateRefusalLog(
  log: Log,
  domain: string,
  now: () => number = () => performance.now(),
): (bounce: Bounce) => void {
  let periodEndsMs = 0;
  let written = 0;
  let unwritten = 0;
  return ({ id, from, refusal }) => {
    const { code } = refusal(from?.full ?? domain);
    const nowMs = now();
    if (nowMs >= periodEndsMs) {
      periodEndsMs = nowMs + periodMs;
      written = 0;
    }
    if (written === mostInPeriod) {
      unwritten += 1;
      return;
    }
    written += 1;
    log.info({ domain, id: id.slice(0, 128), code, ...(unwritten === 0 ? {} : { unwritten }) }, "late refusal");
    unwritten = 0;
  };
}
