/** mod_rest's paths. The requests that it takes with GET are all for iq stanzas, which are not offered. */

import { Elysia } from "elysia";
import type { RequestLine } from "../../request-log.ts";
import type { answer, Trail } from "../answer.ts";
import { describeResource, throwMethodNotAllowed } from "../resource.ts";
import { restResponses } from "../schema.ts";
import { restPath } from "./endpoint.ts";
import { restMediaTypes, writeRestProblem } from "./problem.ts";

interface Context {
  readonly request: Request;
}

export function createRestRoutes(
  log: (line: RequestLine) => void,
  reply: typeof answer,
  send: (request: Request, trail: Trail) => Promise<Response>,
) {
  const post = ({ request }: Context) => reply(request, log, (trail) => send(request, trail), writeRestProblem);
  const describe = ({ request }: Context) => reply(request, log, () => describeResource(restMediaTypes));
  const refuse = ({ request }: Context) => reply(request, log, () => throwMethodNotAllowed(request), writeRestProblem);
  const posted = { parse: "none", response: restResponses } as const;
  return new Elysia({ strictPath: true, normalize: false })
    .post(restPath, post, posted)
    .post(`${restPath}/*`, post, posted)
    .options(restPath, describe)
    .options(`${restPath}/*`, describe)
    .all(restPath, refuse)
    .all(`${restPath}/*`, refuse);
}
