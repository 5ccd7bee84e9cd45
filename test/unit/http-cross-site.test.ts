/** The cross-site rule and CORS, on headers as browsers and others send them; test/server has the browser itself. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { refuseCrossSite } from "../../src/http/cross-site.ts";
import { alice, startGateway } from "../support/http-gateway.ts";

const allowed = "https://status.example.com";

function judge(headers: Record<string, string>, allowedOrigins: readonly string[] = []): string {
  try {
    refuseCrossSite(new Headers(headers), allowedOrigins);
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

test.each<[headers: Record<string, string>, verdict: string]>([
  [{ Host: "gw:5280", Origin: allowed }, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site", Origin: allowed }, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "same-site", Origin: allowed }, "pass"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site", Origin: "http://status.example.com" }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site", Origin: `${allowed}:8443` }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site", Origin: `${allowed}.evil` }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site", Origin: "null" }, "cross_site"],
  [{ Host: "gw:5280", "Sec-Fetch-Site": "cross-site" }, "cross_site"],
  [{ Host: "gw:5280", Origin: `${allowed}, https://evil` }, "duplicate_header"],
])("where a page may send, %j: %s", (headers, verdict) => {
  expect(judge(headers, [allowed])).toBe(verdict);
});

describe("an allowed origin's page", () => {
  const cors = (response: Response) => ({
    origin: response.headers.get("access-control-allow-origin"),
    credentials: response.headers.get("access-control-allow-credentials"),
    methods: response.headers.get("access-control-allow-methods"),
    headers: response.headers.get("access-control-allow-headers"),
    exposed: response.headers.get("access-control-expose-headers"),
    vary: response.headers.get("vary"),
  });
  const nothing = { origin: null, credentials: null, methods: null, headers: null, exposed: null, vary: "Origin" };

  test("may ask first, send, and read the answer and what went wrong", async () => {
    await using gateway = await startGateway({ allowedOrigins: [allowed] });
    const asked = { Authorization: undefined, Origin: allowed, "Access-Control-Request-Method": "POST" };
    const preflight = await gateway.post("/msg/bob", undefined, asked, "OPTIONS");
    expect([preflight.status, cors(preflight)]).toEqual([
      204,
      {
        ...nothing,
        origin: allowed,
        credentials: "true",
        methods: "POST",
        headers: "Authorization, Content-Type, Prefer, X-Request-Id",
      },
    ]);
    const readable = {
      ...nothing,
      origin: allowed,
      credentials: "true",
      exposed: "Preference-Applied, Retry-After, X-Request-Id",
    };
    const sent = await gateway.post("/msg/bob", "hi", { Origin: allowed });
    expect([sent.status, cors(sent)]).toEqual([201, readable]);
    const refused = await gateway.post("/msg/bob", "hi", { Origin: allowed, Authorization: undefined });
    expect([refused.status, cors(refused)]).toEqual([401, readable]);
  });

  test("is told apart from all others, who are told nothing", async () => {
    await using gateway = await startGateway({ allowedOrigins: [allowed] });
    for (const origin of ["https://evil.example", "null", `${allowed}.evil`]) {
      const asked = { Authorization: alice, Origin: origin, "Access-Control-Request-Method": "POST" };
      expect(cors(await gateway.post("/msg/bob", undefined, asked, "OPTIONS"))).toEqual(nothing);
      const refused = await gateway.post("/msg/bob", "hi", { Origin: origin });
      expect([refused.status, cors(refused)]).toEqual([403, nothing]);
    }
    expect(gateway.deliveries).toEqual([]);
  });
});

test("who is refused is told which setting would let it in", () => {
  const headers = new Headers({ Host: "gw:5280", Origin: "http://evil" });
  expect(() => refuseCrossSite(headers, [])).toThrow("only those of [http] allowed_origins may.");
});
