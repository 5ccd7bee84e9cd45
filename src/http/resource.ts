/** What is answered of a resource that takes messages, whatever is asked but to take one. */

import { Failure } from "../errors.ts";

export function describeResource(mediaTypes: readonly string[]): Response {
  const formats = mediaTypes.join(", ");
  const headers = { Allow: "POST, OPTIONS", "Accept-Post": formats, Accept: formats };
  return new Response(null, { status: 204, headers });
}

export function throwMethodNotAllowed({ method }: Request): never {
  throw new Failure("method_not_allowed", `Messages are sent with POST, not with ${method}.`);
}
