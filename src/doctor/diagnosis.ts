/** What the doctor says of one host: each step of the way in, whether it is good, and what to do where it is not. */

import { asFailure, type Code, type Failure } from "../errors.ts";
import type { Finding, Query, Step, Watch } from "../findings.ts";
import { describe, showCertificate } from "./describe.ts";
import type { Place } from "./place.ts";
import { type Context, remedyFor } from "./remedies.ts";

export interface StepReport {
  readonly step: Step;
  /** A warning is something to mend with which messages are sent all the same. */
  readonly state: "good" | "warning" | "failed";
  readonly ms: number;
  /** One sentence, or a list of facts. */
  readonly summary: string;
  /** Of what failed: as in the log and in the answers to requests. */
  readonly code?: Code;
  /** The server's own words, or the system's. */
  readonly said?: string;
  /** What to change, and where. */
  readonly remedy?: string;
  /** What was found, for programs. */
  readonly facts?: Finding;
  /** What DNS was asked in this step, and what it answered. */
  readonly queries?: readonly Query[];
}

export interface Diagnosis {
  readonly domain: string;
  readonly state: "good" | "warning" | "failed";
  readonly ms: number;
  readonly steps: readonly StepReport[];
}

export interface DiagnoseOptions {
  readonly place: Place;
  /** Goes the way in; rejects with a Failure. */
  readonly examine: (watch: Watch) => Promise<void>;
  readonly onStep: (report: StepReport) => void;
  readonly now: () => Date;
}

/** Never rejects: what goes wrong is in the diagnosis. */
export async function diagnose({ place, examine, onStep, now }: DiagnoseOptions): Promise<Diagnosis> {
  const context: Context & { readonly queries: Query[]; readonly findings: Finding[] } = {
    place,
    queries: [],
    findings: [],
  };
  const steps: StepReport[] = [];
  const startedAt = performance.now();
  let open: OpenStep = { step: "name", at: startedAt, askedBefore: 0 };

  const conclude = (failure?: Failure) => {
    const report = reportOf(open, failure, context, now());
    if (report === undefined) return;
    steps.push(report);
    onStep(report);
  };
  try {
    await examine({
      begin: (step) => {
        conclude();
        open = { step, at: performance.now(), askedBefore: context.queries.length };
      },
      found: (finding) => {
        open = { ...open, finding };
        context.findings.push(finding);
      },
      asked: (query) => context.queries.push(query),
    });
    conclude();
  } catch (error) {
    conclude(asFailure(error));
  }
  const worst = (["failed", "warning"] as const).find((state) => steps.some((step) => step.state === state));
  return { domain: place.domain, state: worst ?? "good", ms: round(performance.now() - startedAt), steps };
}

interface OpenStep {
  readonly step: Step;
  readonly at: number;
  /** How many questions had been asked before it. */
  readonly askedBefore: number;
  readonly finding?: Finding;
}

/** Undefined for a step that found nothing and did not fail. */
function reportOf(
  { step, at, askedBefore, finding }: OpenStep,
  failure: Failure | undefined,
  context: Context,
  now: Date,
): StepReport | undefined {
  const verdict =
    failure !== undefined
      ? verdictOn(failure, step, finding, context, now)
      : finding && describe(finding, context.queries, context.place, now);
  const asked = context.queries.slice(askedBefore);
  return (
    verdict && {
      step,
      ms: round(performance.now() - at),
      ...verdict,
      ...(finding === undefined ? {} : { facts: finding }),
      ...(asked.length === 0 ? {} : { queries: asked }),
    }
  );
}

function verdictOn(failure: Failure, step: Step, finding: Finding | undefined, context: Context, now: Date) {
  const said = wordsOf(failure);
  const shown = finding?.step === "certificate" ? ` It is ${showCertificate(finding, now)}.` : "";
  return {
    state: "failed" as const,
    summary: failure.message + shown,
    code: failure.code,
    ...(said === undefined ? {} : { said }),
    remedy: remedyFor(failure, step, context),
  };
}

/** The cause is kept from callers of the gateway; whoever runs the doctor is the one it is for. */
function wordsOf({ cause }: Failure): string | undefined {
  if (cause === undefined) return undefined;
  const errors = cause instanceof AggregateError ? cause.errors : [cause];
  const words = errors.map((error: unknown) => (error instanceof Error ? error.message : String(error)));
  return [...new Set(words)].join("; ") || undefined;
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
