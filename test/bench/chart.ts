/** The chart of docs/performance.svg: messages a second through each server, beside what runs there otherwise. */

import { init } from "echarts";
import type { Figure, Results } from "./results.ts";

const [width, height] = [900, 420];
/** Readable on white and on the dark ground that a browser may put behind an SVG. */
const ink = "#6e7681";
const colours: Readonly<Record<string, string>> = {
  "post-msg": "#1f77b4",
  "raw client": "#9aa4b0",
  mod_post_msg: "#e07b39",
  mod_rest: "#c9a13b",
  mod_http_api: "#a35db5",
};
const levels = ["64 connections", "256 connections"];

/** Undefined where nothing of that was measured. */
export function drawChart({ figures }: Results): string | undefined {
  const rates = figures.filter(
    ({ what, when, who }) => what === "messages/s" && levels.includes(when) && who in colours,
  );
  if (rates.length === 0) return undefined;
  const groups = [...new Set(rates.map(groupOf))];
  const names = Object.keys(colours).filter((name) => rates.some(({ who }) => who === name));
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: "sans-serif", color: ink },
    title: {
      text: "Messages a second, to an online recipient",
      left: "center",
      textStyle: { color: ink, fontSize: 15 },
    },
    legend: { bottom: 0, itemGap: 30, data: names, textStyle: { color: ink } },
    grid: { left: 60, right: 20, top: 50, bottom: 80 },
    xAxis: { type: "category", data: groups, axisLabel: { interval: 0, color: ink, lineHeight: 15 } },
    yAxis: {
      type: "value",
      axisLabel: { color: ink },
      splitLine: { lineStyle: { color: "#d0d7de55" } },
    },
    series: names.map((name) => ({
      name,
      type: "bar",
      barGap: "10%",
      itemStyle: { color: colours[name] },
      label: { show: true, position: "top", color: ink, fontSize: 10 },
      data: groups.map((group) => rateOf(rates, group, name)),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function groupOf({ part, when }: Figure): string {
  return `${part.replace(", ", ",\n")}\n${when}`;
}

function rateOf(rates: readonly Figure[], group: string, name: string): number | "-" {
  const found = rates.find((figure) => groupOf(figure) === group && figure.who === name);
  return found === undefined ? "-" : Math.round(found.median);
}
