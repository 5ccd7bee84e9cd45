/** The cross-site rule, on headers as browsers and others send them. */

import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { refuseCrossSite } from "../../src/http/cross-site.ts";

function judge(headers: Record<string, string>): string {
  try {
    refuseCrossSite(new Headers(headers));
    return "pass";
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

test.each<[headers: Record<string, string>, verdict: string]>([
  [{ Host: "gw:5280" }, "pass"],
  [{}, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "same-origin" }, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "none" }, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "same-site" }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site" }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "" }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "same-origin", Origin: "http://gw:5280" }, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "same-origin", Origin: "http://evil" }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site", Origin: "http://gw:5280" }, "cross_site"],
  [{ Host: "gw:5280", Origin: "http://gw:5280" }, "pass"],
  [{ Host: "GW:5280", Origin: "http://gw:5280" }, "pass"],
  [{ Host: "gw", Origin: "https://gw" }, "pass"],
  [{ Host: "gw:443", Origin: "https://gw" }, "pass"],
  [{ Host: "gw:80", Origin: "http://gw" }, "pass"],
  [{ Host: "[::1]:5280", Origin: "http://[::1]:5280" }, "pass"],
  [{ Host: "gw:5280", Origin: "http://gw:8080" }, "cross_site"],
  [{ Host: "gw:5280", Origin: "http://gw" }, "cross_site"],
  [{ Host: "gw:5280", Origin: "http://gw:5280.evil" }, "cross_site"],
  [{ Host: "gw:5280", Origin: "http://evil" }, "cross_site"],
  [{ Host: "gw:5280", Origin: "null" }, "cross_site"],
  [{ Host: "gw:5280", Origin: "" }, "cross_site"],
  [{ Host: "localhost", Origin: "capacitor://localhost" }, "cross_site"],
  [{ Origin: "http://gw" }, "cross_site"],
  [{ Origin: "http://undefined" }, "cross_site"],
  [{ Host: "gw", Origin: "http://gw, http://evil" }, "duplicate_header"],
])("%j: %s", (headers, verdict) => {
  expect(judge(headers)).toBe(verdict);
});
