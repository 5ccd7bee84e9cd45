/** What monitors, containers and proxies ask, without a login: does it live, and shall it be given requests. */

import { Failure } from "../errors.ts";
import { quote } from "./quote.ts";

export const healthPath = "/health";
const allow = "GET, HEAD";

/**
 * Live: the process answers. Ready: it takes requests, which it does not once it has begun to stop. Neither depends on an
 * XMPP server: one that is down is no reason to restart the gateway, or to keep the users of the others from it.
 */
export function describeHealth(request: Request, isReady: () => boolean): Response {
  const { pathname } = new URL(request.url);
  const status = { [`${healthPath}/live`]: "live", [`${healthPath}/ready`]: "ready" }[pathname];
  if (status === undefined) {
    const detail = `There is nothing at ${quote(pathname)}; "${healthPath}/live" and "${healthPath}/ready" can be asked.`;
    throw new Failure("no_such_path", detail);
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new Failure("method_not_allowed", `Health is asked with GET, not with ${request.method}.`, { allow });
  }
  if (status === "ready" && !isReady()) throw new Failure("shutting_down", "post-msg is stopping.");
  return Response.json({ status }, { headers: { "Cache-Control": "no-store" } });
}
