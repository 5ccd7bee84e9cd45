/** The frame around every request: its id, its one answer whatever is thrown, its closing line in the log. */

import { asFailure, type Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Copy, RequestLine, Times } from "../request-log.ts";
import { refuseAmbiguous } from "./ambiguous.ts";
import { takeLeftOver } from "./body.ts";
import { writeProblem } from "./problem.ts";

/** What a request leaves for its closing line as it becomes known. */
export interface Trail {
  readonly requestId: string;
  /** Filled by whoever delivers the message. */
  readonly times: Times;
  client?: string;
  sender?: Jid;
  recipient?: Jid;
  messageId?: string;
  /** In place of these two, where there are several recipients. */
  copies?: readonly Copy[];
  /** What was refused; of several recipients, the worst that was answered for one. */
  failure?: Failure;
}

export async function answer(
  request: Request,
  log: (line: RequestLine) => void,
  work: (trail: Trail) => Response | Promise<Response>,
  write: (failure: Failure, requestId: string) => Response = writeProblem,
): Promise<Response> {
  const startedMs = performance.now();
  const trail: Trail = { requestId: requestIdOf(request.headers), times: {} };
  let response: Response;
  try {
    refuseAmbiguous(request.headers);
    response = await work(trail);
  } catch (error) {
    trail.failure = asFailure(error);
    response = write(trail.failure, trail.requestId);
    if (!(await takeLeftOver(request))) response.headers.set("Connection", "close");
  }
  response.headers.set("X-Request-Id", trail.requestId);
  log({
    requestId: trail.requestId,
    method: request.method,
    status: response.status,
    durationMs: performance.now() - startedMs,
    client: trail.client,
    sender: trail.sender,
    recipient: trail.recipient,
    messageId: trail.messageId,
    copies: trail.copies,
    times: trail.times,
    get hungUp() {
      return request.signal.aborted;
    },
    failure: trail.failure,
  });
  return response;
}

/** The caller's, if it can be put into a log and a header as it is. */
function requestIdOf(headers: Headers): string {
  const sent = headers.get("x-request-id");
  return sent !== null && /^[\w.:+/=~-]{1,128}$/.test(sent) ? sent : crypto.randomUUID();
}
