/** The progress bar on standard error; where that is no terminal, a line for each measurement. */

import { Format, SingleBar } from "cli-progress";

export interface Progress {
  step(what: string): void;
  stop(): void;
}

export function startProgress(total: number): Progress {
  if (!process.stderr.isTTY) {
    let done = 0;
    return { step: (what) => void process.stderr.write(`${++done}/${total} ${what}\n`), stop: () => {} };
  }
  const bar = new SingleBar({
    format: `{bar} {value}/{total}, {duration_formatted}: {what}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    fps: 5,
    formatTime: Format.TimeFormat,
  });
  bar.start(total, 0, { what: "" });
  let begun = 0;
  return { step: (what) => bar.update(begun++, { what }), stop: () => bar.stop() };
}
