/** The results as Markdown, which a terminal shows as well as a browser. */

import { markdownTable } from "markdown-table";
import type { Figure, Results, Target } from "./results.ts";
import { show } from "./statistics.ts";

export function targetTable({ targets }: Results): string {
  const rows = targets.map((target) => [
    target.name,
    showBound(target),
    `${show(target.median)}${target.unit}`,
    showSpread(target.values),
    target.met ? "yes" : "**no**",
  ]);
  return align([["", "target", "median", "rounds", "met"], ...rows], 1);
}

/** One line for who was measured under which circumstances, with all that was measured of it. */
export function figureTable({ figures }: Results): string {
  const sections = Object.entries(Object.groupBy(figures, ({ part }) => part)).map(([part, ofPart = []]) => {
    const kinds = [...new Set(ofPart.map(({ what }) => what))];
    const lines = Map.groupBy(ofPart, ({ when, who }) => JSON.stringify([when, who]));
    const rows = [...lines.values()].map((ofLine) => [
      ofLine[0]?.when ?? "",
      ofLine[0]?.who ?? "",
      ...kinds.map((kind) => showFigure(ofLine.find(({ what }) => what === kind))),
    ]);
    return `### ${part}\n\n${align([["", "", ...kinds], ...rows], 2)}`;
  });
  return sections.join("\n\n");
}

function showFigure(figure: Figure | undefined): string {
  if (figure === undefined) return "";
  if (figure.text !== undefined) return figure.text;
  if (figure.values.length < 2) return show(figure.median);
  return `${show(figure.median)} (${showSpread(figure.values)})`;
}

function showBound({ bound, unit }: Target): string {
  return "atLeast" in bound ? `at least ${show(bound.atLeast)}${unit}` : `at most ${show(bound.atMost)}${unit}`;
}

function showSpread(values: readonly number[]): string {
  return values.length === 0 ? "" : `${show(Math.min(...values))}–${show(Math.max(...values))}`;
}

function align(rows: readonly (readonly string[])[], textColumns: number): string {
  const columns = rows[0]?.length ?? 0;
  return markdownTable(rows, { align: Array.from({ length: columns }, (_, at) => (at < textColumns ? "l" : "r")) });
}
