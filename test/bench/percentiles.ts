/** Figures of a benchmark: medians and high percentiles, in milliseconds. */

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function spreadOf(timesMs: readonly number[]): Spread {
  const sorted = timesMs.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function showMs(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : 1);
}
