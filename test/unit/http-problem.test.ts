/** How each Failure is written as problem+json, and with which headers. */

import { describe, expect, test } from "bun:test";
import { codes, Failure } from "../../src/errors.ts";
import { statuses, writeProblem } from "../../src/http/problem.ts";

const challenge = 'Basic realm="post-msg", charset="UTF-8"';

describe("a Failure as a problem", () => {
  test.each(codes.map((code) => [code] as const))("%s: unknown only with a 504", async (code) => {
    const failure = new Failure(code, "It could not be done.");
    const response = writeProblem(failure, "id");
    expect(response.status).toBe(statuses[code]);
    if (failure.outcome === "unknown") expect(response.status).toBe(504);
    expect(response.headers.has("retry-after")).toBe(response.status === 503 || response.status === 429);
    expect(response.headers.get("www-authenticate")).toBe(response.status === 401 ? challenge : null);
    expect(await response.json()).toMatchObject({
      code,
      status: response.status,
      outcome: failure.outcome,
      request_id: "id",
    });
  });

  test("says when to come back as the failure knows it, else in 5 s", () => {
    const known = new Failure("server_busy", "It could not be done.", { retryAfterSeconds: 90 });
    expect(writeProblem(known, "id").headers.get("retry-after")).toBe("90");
    expect(writeProblem(new Failure("overloaded", "No."), "id").headers.get("retry-after")).toBe("5");
  });
});
