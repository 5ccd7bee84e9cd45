/** What a run of the tests came to, read from the JUnit file that `bun test` writes. */

import { SaxesParser } from "saxes";

export interface TestReport {
  readonly passed: number;
  readonly failed: number;
  /** The names of those that were skipped or are still to be written. */
  readonly skipped: readonly string[];
}

/** What XML 1.0 section 2.2 excludes: the names of tests may hold it, and Bun writes them as they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters.
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Counts the test cases themselves, whatever the totals in the file say. Throws when the file is cut short. */
export function readTestReport(junit: string): TestReport {
  const skipped: string[] = [];
  let passed = 0;
  let failed = 0;
  let name = "";
  let verdict = "";
  const parser = new SaxesParser({});
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name: tag, attributes: { classname, name: ownName } }) => {
    if (tag === "testcase") {
      name = [classname, ownName].filter(Boolean).join(" > ");
      verdict = "passed";
    } else if (tag === "failure" || tag === "error" || tag === "skipped") verdict = tag;
  });
  parser.on("closetag", ({ name: tag }) => {
    if (tag !== "testcase") return;
    if (verdict === "passed") passed++;
    else if (verdict === "skipped") skipped.push(name);
    else failed++;
  });
  parser.write(junit.replace(unwritable, "\ufffd")).close();
  return { passed, failed, skipped };
}
