/**
 * A web page of another site can make a browser post forms and texts with the Basic credentials that it has cached. The
 * browser says so in Sec-Fetch-Site, an older one in Origin (Fetch Metadata; RFC 6454). Devices and curl send neither.
 */

import { Failure } from "../errors.ts";
import { readSingleHeader } from "./single-header.ts";

export function refuseCrossSite(headers: Headers): void {
  const site = readSingleHeader(headers, "sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") throw crossSite();
  const origin = readSingleHeader(headers, "origin");
  if (origin !== undefined && !isOurs(origin, readSingleHeader(headers, "host"))) throw crossSite();
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
    "A page of another site made a browser send this request; that is not allowed here.",
  );
}
