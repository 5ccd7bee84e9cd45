/** What every refusal of the gateway looks like. */

import { expect } from "bun:test";
import type { Code } from "../../src/errors.ts";

/** Resolves to the body. */
export async function expectProblem(
  response: Response,
  status: number,
  code: Code,
  outcome: "not_sent" | "unknown" = "not_sent",
): Promise<Record<string, unknown>> {
  const problem = readProblem(await response.json());
  expect(problem).toMatchObject({ status, code, outcome });
  expect(response.status).toBe(status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(problem["detail"]).toMatch(/^[A-Z"].{10,}\.$/);
  expect(problem["request_id"]).toBe(response.headers.get("x-request-id"));
  if (status === 503) expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  else expect(response.headers.get("retry-after")).toBeNull();
  return problem;
}

function readProblem(body: unknown): Record<string, unknown> {
  if (typeof body !== "object" || body === null) throw new Error(`No problem came but ${body}`);
  return { ...body };
}
