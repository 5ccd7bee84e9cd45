/** Diagnoses for people: a table that grows as the steps are done, with colour where it is wanted. */

import type { Diagnosis, StepReport } from "./diagnosis.ts";

export interface TextOptions {
  readonly write: (text: string) => void;
  readonly colour: boolean;
  /** Where lines are broken; undefined: nowhere. */
  readonly columns: number | undefined;
}

export interface TextReport {
  /** Before the first host. */
  start(): void;
  begin(domain: string): void;
  step(report: StepReport): void;
  end(diagnosis: Diagnosis): void;
}

const marks = { good: ["ok  ", 32], warning: ["warn", 33], failed: ["FAIL", 31] } as const;
const stepWidth = 16;
const timeWidth = 9;
const indent = 2 + 4 + 2 + stepWidth + 1 + timeWidth + 2;
const leastText = 40;

export function textReport({ write, colour, columns }: TextOptions): TextReport {
  const paint = (code: number, text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const textWidth = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(columns - indent, leastText);
  const line = (head: string, text: string) =>
    write(`${head}${wrap(printable(text), textWidth).join(`\n${" ".repeat(indent)}`)}\n`);
  const behind = (text: string) => line(" ".repeat(indent), text);

  return {
    start: () => write("\n"),
    begin: (domain) => write(`${paint(1, printable(domain))}\n`),
    step: ({ step, state, ms, summary, code, said, remedy }) => {
      const [mark, colourCode] = marks[state];
      const time = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`.padStart(timeWidth);
      line(`  ${paint(colourCode, mark)}  ${step.padEnd(stepWidth)} ${paint(2, time)}  `, summary);
      if (code !== undefined) behind(`code ${code}${said === undefined ? "" : `: ${said}`}`);
      if (remedy !== undefined) behind(`-> ${remedy}`);
    },
    end: (diagnosis) => write(`  ${conclusion(diagnosis)}\n\n`),
  };
}

function conclusion({ domain, state, ms, steps }: Diagnosis): string {
  const time = `${Math.round(ms)} ms`;
  const failed = steps.find((step) => step.state === "failed");
  if (failed !== undefined) return `${domain} cannot be used: mend the step "${failed.step}" (${time}).`;
  const warnings = steps.filter((step) => step.state === "warning").length;
  if (state === "warning")
    return `${domain} can be used, with ${warnings === 1 ? "a warning" : `${warnings} warnings`} (${time}).`;
  return `${domain} is good (${time}).`;
}

/** What came from a server must not steer the terminal. */
function printable(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
