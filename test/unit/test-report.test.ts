import { expect, test } from "bun:test";
import { readTestReport } from "../support/test-report.ts";

const junit = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="99" failures="99" skipped="99">
  <testsuite name="a.test.ts" file="a.test.ts">
    <testcase name="one" classname="" time="0.1" />
    <testsuite name="group">
      <testcase name="a &lt;b&gt;" classname="group"><skipped message="TODO" /></testcase>
      <testcase name="two" classname="group"><failure type="AssertionError">Expected: 2&#10;</failure></testcase>
      <testcase name="three" classname="group"><failure type="TimeoutError" message="test timed out" /></testcase>
      <testcase name="four" classname="group" />
    </testsuite>
  </testsuite>
</testsuites>`;

test("a report is counted by its test cases, nested ones too", () => {
  expect(readTestReport(junit)).toEqual({ passed: 2, failed: 2, skipped: ["group > a <b>"] });
});

test("a report that is cut short is not taken for a good one", () => {
  expect(() => readTestReport(junit.slice(0, 300))).toThrow();
  expect(() => readTestReport("")).toThrow();
});

test("a test's name may hold what XML cannot", () => {
  const junit = '<testsuites><testsuite><testcase name="a\u0000\u001b"/></testsuite></testsuites>';
  expect(readTestReport(junit)).toEqual({ passed: 1, failed: 0, skipped: [] });
});
