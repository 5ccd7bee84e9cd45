/** Path and method, the first things that are judged. Every route leads to `answer`; nothing happens in hooks. */

import { Elysia } from "elysia";
import { Failure } from "../errors.ts";
import { version } from "../version.ts";
import { answer, type Trail } from "./answer.ts";
import { docsPath } from "./api/page.ts";
import { createApi, openApiPath } from "./api/serve-api.ts";
import { shareWithOrigin } from "./cross-site.ts";
import { describeHealth, healthPath } from "./health.ts";
import type { InFlight } from "./in-flight.ts";
import { createMessageEndpoint } from "./message-endpoint.ts";
import type { HttpOptions } from "./options.ts";
import { acceptedMediaTypes } from "./parse.ts";
import { quote } from "./quote.ts";
import { describeResource, throwMethodNotAllowed } from "./resource.ts";
import { restEndpoint } from "./rest/endpoint.ts";
import { createRestRoutes } from "./rest/routes.ts";
import { messageResponses } from "./schema.ts";
import { type Endpoint, sendMessage } from "./send-message.ts";

export interface Surroundings {
  /** Where a request comes from, as far as throttles tell callers apart. */
  clientOf(request: Request): string;
  /** New requests are wanted. */
  isReady(): boolean;
  readonly inFlight: InFlight;
}

export function createRoutes(
  options: HttpOptions,
  { clientOf, isReady, inFlight }: Surroundings,
): (request: Request) => Response | Promise<Response> {
  const { path, log, allowedOrigins } = options;
  const share: typeof answer = async (request, ...rest) =>
    shareWithOrigin(request, await answer(request, ...rest), allowedOrigins);
  const reply = allowedOrigins.length === 0 ? answer : share;
  const send = (request: Request, trail: Trail, endpoint: Endpoint) =>
    sendMessage(request, { clientAddress: clientOf(request), trail, inFlight }, options, endpoint);
  const endpoint = createMessageEndpoint(path);
  const post = ({ request }: Context) => reply(request, log, (trail) => send(request, trail, endpoint));
  // Asked every few seconds, for ever: nothing to fill a log with.
  const health = ({ request }: Context) =>
    answer(
      request,
      () => {},
      () => describeHealth(request, isReady),
    );
  const api = createApi({ path, rest: options.rest, version });
  const documentation = ({ request }: Context) => answer(request, log, () => api(request));
  const describe = ({ request }: Context) => reply(request, log, () => describeResource(acceptedMediaTypes));
  const refuseMethod = ({ request }: Context) => reply(request, log, () => throwMethodNotAllowed(request));
  const refusePath = ({ request }: Context) => answer(request, log, () => throwNoSuchPath(request, path));
  // The body is ours to read: Elysia would buffer it unbounded and answer a bad one in its own words.
  const posted = { parse: "none", response: messageResponses } as const;

  const app = new Elysia({ strictPath: true, normalize: false, handler: { standardHostname: false } })
    // The one hook: what Elysia itself throws.
    .onError(({ request, error }) =>
      answer(request, log, () => {
        throw error;
      }),
    )
    .post(path, post, posted)
    .post(`${path}/*`, post, posted)
    .options(path, describe)
    .options(`${path}/*`, describe)
    .all(path, refuseMethod)
    .all(`${path}/*`, refuseMethod)
    .all(healthPath, health)
    .all(`${healthPath}/*`, health)
    .all(openApiPath, documentation)
    .all(docsPath, documentation)
    .all(`${docsPath}/*`, documentation)
    .all("/*", refusePath);
  if (options.rest) app.use(createRestRoutes(log, reply, (request, trail) => send(request, trail, restEndpoint)));
  return app.fetch;
}

interface Context {
  readonly request: Request;
}

function throwNoSuchPath({ url }: Request, path: string): never {
  const asked = quote(new URL(url).pathname);
  throw new Failure("no_such_path", `There is nothing at ${asked}; messages are posted to "${path}/".`);
}
