/** The problems of each status, with an example for every code, as the functions that write problems make them. */

import { type Code, codes, Failure } from "../../errors.ts";
import { statuses, titles, toProblem } from "../problem.ts";
import { toRestProblem } from "../rest/problem.ts";
import { type Json, reference } from "./json.ts";
import { problemExamples } from "./problem-examples.ts";

/** "RestProblem" is a problem as mod_rest's callers read it. */
export type ProblemKind = "Problem" | "RestProblem";

const requestId = "backup-2026-11-28";
const write: Readonly<Record<ProblemKind, (failure: Failure, requestId: string) => { readonly status: number }>> = {
  Problem: toProblem,
  RestProblem: toRestProblem,
};

/** For `#/components/responses`; by names such as `Problem404`. */
export function problemResponses(): Json {
  const kinds: readonly ProblemKind[] = ["Problem", "RestProblem"];
  const statusesInUse = [...new Set(Object.values(statuses))];
  return Object.fromEntries(
    kinds.flatMap((kind) => statusesInUse.map((status) => [`${kind}${status}`, responseOf(kind, status)])),
  );
}

/** By status, with 405, which is the answer to another method. */
export function problemReferences(kind: ProblemKind, among: readonly string[]): Json {
  return Object.fromEntries([...among, "405"].map((status) => [status, reference("responses", `${kind}${status}`)]));
}

function responseOf(kind: ProblemKind, status: keyof typeof titles): Json {
  const examples = codes.map((code) => [code, exampleOf(kind, code)] as const);
  return {
    description: titles[status],
    headers: {
      "X-Request-Id": reference("headers", "RequestId"),
      ...(status === 429 || status === 503 ? { "Retry-After": reference("headers", "RetryAfter") } : {}),
      ...(status === 401 ? { "WWW-Authenticate": reference("headers", "Challenge") } : {}),
    },
    content: {
      "application/problem+json": {
        schema: reference("schemas", kind),
        examples: Object.fromEntries(
          examples.filter(([, each]) => each.status === status).map(([code, value]) => [code, { value }]),
        ),
      },
    },
  };
}

function exampleOf(kind: ProblemKind, code: Code): { readonly status: number } {
  return write[kind](new Failure(code, problemExamples[code]), requestId);
}
