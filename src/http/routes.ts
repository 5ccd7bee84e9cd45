/** Path and method, the first things that are judged. Every route leads to `answer`; nothing happens in hooks. */

import { Elysia } from "elysia";
import { Failure } from "../errors.ts";
import { answer } from "./answer.ts";
import { shareWithOrigin } from "./cross-site.ts";
import { describeHealth, healthPath } from "./health.ts";
import type { InFlight } from "./in-flight.ts";
import type { HttpOptions } from "./options.ts";
import { acceptedMediaTypes } from "./parse.ts";
import { quote } from "./quote.ts";
import { messageResponses } from "./schema.ts";
import { sendMessage } from "./send-message.ts";

const allow = "POST, OPTIONS";

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
  const { path, log, maxInFlight, allowedOrigins } = options;
  const reply: typeof answer = async (request, ...rest) =>
    shareWithOrigin(request, await answer(request, ...rest), allowedOrigins);
  const post = ({ request }: Context) =>
    reply(request, log, (trail) =>
      inFlight.hold(maxInFlight, () => sendMessage(request, clientOf(request), trail, options)),
    );
  // Asked every few seconds, for ever: nothing to fill a log with.
  const health = ({ request }: Context) =>
    answer(
      request,
      () => {},
      () => describeHealth(request, isReady),
    );
  const describe = ({ request }: Context) => reply(request, log, describeResource);
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
    .all(`${healthPath}/*`, health)
    .all("/*", refusePath);
  return app.fetch;
}

interface Context {
  readonly request: Request;
}

function describeResource(): Response {
  const formats = acceptedMediaTypes.join(", ");
  return new Response(null, { status: 204, headers: { Allow: allow, "Accept-Post": formats, Accept: formats } });
}

function throwMethodNotAllowed({ method }: Request): never {
  throw new Failure("method_not_allowed", `Messages are sent with POST, not with ${method}.`);
}

function throwNoSuchPath({ url }: Request, path: string): never {
  const asked = quote(new URL(url).pathname);
  throw new Failure("no_such_path", `There is nothing at ${asked}; messages are posted to "${path}/".`);
}
