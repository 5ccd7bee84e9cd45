/**
 * A web page of another site can make a browser post forms and texts with the Basic credentials that it has cached. The
 * browser says so in Sec-Fetch-Site, an older one in Origin (Fetch Metadata; RFC 6454). Devices and curl send neither.
 * Pages of the origins in the settings may, and may read the answer (CORS).
 */

import { Failure } from "../errors.ts";
import { readSingleHeader } from "./single-header.ts";

export function refuseCrossSite(headers: Headers, allowedOrigins: readonly string[]): void {
  const origin = readSingleHeader(headers, "origin");
  if (origin !== undefined && allowedOrigins.includes(origin)) return;
  const site = readSingleHeader(headers, "sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") throw crossSite();
  if (origin !== undefined && !isOurs(origin, readSingleHeader(headers, "host"))) throw crossSite();
}

/** What lets a page of an allowed origin send what `allow` says, and read the answer; nothing for anybody else. */
export function shareWithOrigin(request: Request, response: Response, allowedOrigins: readonly string[]): Response {
  if (allowedOrigins.length === 0) return response;
  response.headers.append("Vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null || !allowedOrigins.includes(origin)) return response;
  const share = (name: string, value: string) => response.headers.set(`Access-Control-${name}`, value);
  share("Allow-Origin", origin);
  share("Allow-Credentials", "true");
  if (request.method === "OPTIONS") {
    share("Allow-Methods", "POST");
    share("Allow-Headers", "Authorization, Content-Type, Prefer, X-Request-Id");
    share("Max-Age", "600");
  } else share("Expose-Headers", "Preference-Applied, Retry-After, X-Request-Id");
  return response;
}

/** Host and port, the scheme's default port being none; "null" and schemes other than HTTP's are never ours. */
function isOurs(origin: string, host: string | undefined): boolean {
  const theirs = URL.parse(origin);
  if (theirs === null || host === undefined) return false;
  if (theirs.protocol !== "http:" && theirs.protocol !== "https:") return false;
  return theirs.host === URL.parse(`${theirs.protocol}//${host}`)?.host;
}

function crossSite(): Failure {
  return new Failure(
    "cross_site",
    "A page of another site made a browser send this request; only those of [http] allowed_origins may.",
  );
}
