/** What a log line looks like. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import { because, createLog, type LogFormat, type LogLevel } from "../../src/log.ts";

function collect(level: LogLevel, format: LogFormat) {
  const lines: string[] = [];
  const log = createLog({ level, format, destination: { write: (line) => lines.push(line) } });
  return { log, lines };
}

test("JSON holds time, level, fields and sentence, one event a line", () => {
  const { log, lines } = collect("debug", "auto");
  log.debug({ account: "a@example.com" }, "Connected.");
  log.error({}, "Two\nlines.");
  expect(lines).toHaveLength(2);
  expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  const event = JSON.parse(lines[0] ?? "");
  expect(event).toEqual({
    level: "debug",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    account: "a@example.com",
    msg: "Connected.",
  });
});

test("events below the level are left out", () => {
  const { log, lines } = collect("warn", "json");
  log.debug({}, "a");
  log.info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["c", "d"]);
});

test("whole addresses are written at debug or where they are wanted; otherwise one address has one hash", () => {
  const write = (level: LogLevel, jids: boolean) => {
    const lines: string[] = [];
    const log = createLog({ level, format: "json", jids, destination: { write: (line) => lines.push(line) } });
    const reason = 'The message to "bob@example.com/my phone" was not sent; ask carol@[::1], or dave@example.org.';
    log.warn({ from: "bob@example.com", list: ["bob@example.com"], reason, err: new Error(reason) }, reason);
    return JSON.parse(lines[0] ?? "");
  };
  expect(write("debug", false).reason).toContain('"bob@example.com/my phone"');
  expect(write("info", true).from).toBe("bob@example.com");
  expect(write("info", true).reason).toContain('"bob@example.com/my phone"');
  const hidden = write("info", false);
  const bob = hidden.from;
  expect(bob).toMatch(/^jid:[0-9a-f]{12}$/);
  expect(hidden.list).toEqual([bob]);
  expect(hidden.reason).toMatch(
    RegExp(`^The message to "${bob}" was not sent; ask jid:[0-9a-f]{12}, or jid:[0-9a-f]{12}\\.$`),
  );
  expect([hidden.msg, hidden.err.message]).toEqual([hidden.reason, hidden.reason]);
  expect(hidden.err.stack).not.toContain("bob@");
  expect(write("info", false).from).not.toBe(bob);
});

test("what our own sentences give as an example is nobody's address", () => {
  const lines: string[] = [];
  const log = createLog({ level: "info", format: "json", destination: { write: (line) => lines.push(line) } });
  log.info({ reason: "A bare JID, user@domain, is needed; user@domain.example is somebody." }, "no");
  expect(JSON.parse(lines[0] ?? "").reason).toMatch(
    /^A bare JID, user@domain, is needed; jid:[0-9a-f]{12} is somebody\.$/,
  );
});

test("a sentence that quotes the configuration file keeps its addresses, and none of its control characters", () => {
  const sentence =
    'a.toml:3: [aliases] x: must be addresses such as ["alice@example.com"]; "bob@" is none\u001b[2J\u202e';
  for (const format of ["json", "pretty"] as const) {
    const { log, lines } = collect("info", format);
    log.warn({ from: "carol@example.com" }, { quotesConfig: sentence });
    const text = lines.join("");
    expect(format === "json" ? JSON.parse(text).msg : text).toContain(
      format === "json" ? sentence : '["alice@example.com"]; "bob@" is none\\u001b[2J\\u202e',
    );
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]|carol/u);
  }
});

test("no control character of a field reaches a terminal, nor what turns a line around", () => {
  const { log, lines } = collect("info", "pretty");
  log.warn({ reason: "\u001b[2J\u009b1m\u202eevil\r", err: new Error("\u001b]0;title\u0007") }, "Careful\u001b[31m.");
  const text = lines.join("");
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
  expect(text).toContain("Careful\\u001b[31m.");
});

test("a circle, a huge text and a number beyond JSON do not keep a line from being written", () => {
  const { log, lines } = collect("info", "json");
  const circle: Record<string, unknown> = {};
  circle["itself"] = circle;
  log.info({ circle, huge: "x".repeat(1_000_000), big: { number: 1n } }, "Odd.");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ circle: "[object Object]", huge: `${"x".repeat(2_000)}…` });
});

test("an error is logged with its code, its stack and its chain of causes, and no other property", () => {
  const { log, lines } = collect("info", "json");
  const root = Object.assign(new TypeError("the root"), { password: "hunter2" });
  const middle = new Error("the middle", { cause: root });
  log.error({ err: Object.assign(new Error("the top", { cause: middle }), { code: "E_TOP" }) }, "Failed.");
  const { err } = JSON.parse(lines[0] ?? "");
  expect(err).toEqual({ type: "Error", message: "the top", code: "E_TOP", stack: expect.any(String) });
  expect(err.stack).toMatch(
    /the top[\s\S]*log\.test\.ts[\s\S]*caused by: [\s\S]*the middle[\s\S]*caused by: [\s\S]*the root/,
  );
  expect(lines[0]).not.toContain("hunter2");
});

test("a circle of causes and something thrown that is no error are logged all the same", () => {
  const { log, lines } = collect("info", "json");
  const circle = new Error("round");
  circle.cause = circle;
  log.error({ err: circle }, "Failed.");
  log.error({ err: "a string" }, "Failed.");
  log.error({ err: undefined }, "Failed.");
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[1] ?? "").err.message).toBe("a string");
});

test("pretty is for people: level, sentence, fields and the stack on lines of its own", () => {
  const { log, lines } = collect("info", "pretty");
  log.warn({ account: "a@example.com", err: new Error("why") }, "Careful.");
  expect(lines.join("")).toMatch(/WARN.*: Careful\.\n[\s\S]*account: "jid:[0-9a-f]{12}"[\s\S]*Error: why\n\s+at /);
});

test("nothing is lost at an exit, whatever the level, and lines keep their order", async () => {
  const script = `
    import { createLog } from ${JSON.stringify(join(import.meta.dir, "../../src/log.ts"))};
    const log = createLog({ level: "debug", format: "json" });
    log.info({}, "one");
    log.warn({}, "two");
    await Promise.resolve();
    log.debug({}, "three");
    log.info({}, "four");
    process.exit(3);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "pipe", timeout: 20_000 });
  const said = await child.stderr.text();
  const sentences = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).msg);
  expect([await child.exited, ...sentences]).toEqual([3, "one", "two", "three", "four"]);
});

test("what lies behind a failure is told with what is gathered in it, each once", () => {
  const gathered = [new Error("a said no"), new Error("b said no"), new Error("a said no")];
  const error = new Error("No address answered.", {
    cause: new AggregateError(gathered, "Tried: a, b", { cause: new Error("the cable") }),
  });
  expect(because(error)).toEqual({ because: "Tried: a, b (a said no; b said no) <- the cable" });
  expect(because(new Error("alone"))).toEqual({});
});
