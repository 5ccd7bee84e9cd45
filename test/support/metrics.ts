/** Metrics as Prometheus would read them. */

import type { Gateway } from "./gateway.ts";

export interface Metrics {
  readonly text: string;
  /** By name and labels as they are written, such as `a_total{b="c"}`. */
  readonly samples: ReadonlyMap<string, number>;
  /** By the metric's name. */
  readonly help: ReadonlyMap<string, string>;
  /** What was counted, without what is 0, under names that begin with this. */
  counted(prefix: string): Record<string, number>;
}

/** Of a gateway with `[metrics] listen`. */
export async function readMetrics(gateway: Gateway): Promise<Metrics> {
  const { url } = await gateway.logged(({ msg }) => msg === "metrics are served");
  const response = await fetch(`${url}`);
  if (response.status !== 200) throw new Error(`The metrics were answered ${response.status}.`);
  return parseMetrics(await response.text());
}

export function parseMetrics(text: string): Metrics {
  const samples = new Map<string, number>();
  const help = new Map<string, string>();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [, name, words] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined && words !== undefined) help.set(name, words);
    if (line.startsWith("#")) continue;
    const [, sample = line, value = ""] = /^(.+) (\S+)$/.exec(line) ?? [];
    samples.set(sample, value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value));
  }
  const counted = (prefix: string) =>
    Object.fromEntries([...samples].filter(([name, value]) => name.startsWith(prefix) && value !== 0));
  return { text, samples, help, counted };
}
