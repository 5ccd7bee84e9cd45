/** `/openapi.json` and `/docs`: the API, for programs and for people. No login; there is nothing secret in it. */

import { Failure } from "../../errors.ts";
import { quote } from "../quote.ts";
import { type ApiOptions, describeApi } from "./document.ts";
import { contentSecurityPolicy, docsPath, type PageFile, pageFiles } from "./page.ts";

export const openApiPath = "/openapi.json";
const allow = "GET, HEAD";

/** A function that answers what is asked under the two paths. Throws 404 and 405. */
export function createApi(options: ApiOptions): (request: Request) => Response {
  let document: string | undefined;
  const fileAt = (path: string): PageFile | undefined => {
    if (path !== openApiPath) return Object.hasOwn(pageFiles, path) ? pageFiles[path] : undefined;
    document ??= JSON.stringify(describeApi(options));
    return { type: "application/json", body: document };
  };
  return ({ url, method }) => {
    const { pathname } = new URL(url);
    // The page's own addresses are relative to the path without a slash.
    if (pathname === `${docsPath}/`) return new Response(null, { status: 308, headers: { Location: `..${docsPath}` } });
    const file = fileAt(pathname);
    if (file === undefined) {
      throw new Failure(
        "no_such_path",
        `There is nothing at ${quote(pathname)}; the documentation is at "${docsPath}".`,
      );
    }
    if (method !== "GET" && method !== "HEAD") {
      throw new Failure("method_not_allowed", `The documentation is read with GET, not with ${method}.`, { allow });
    }
    const headers = {
      "Content-Type": file.type,
      "Content-Security-Policy": contentSecurityPolicy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-cache",
    };
    return new Response(file.body, { headers });
  };
}
