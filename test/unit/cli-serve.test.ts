/** How `serve` and `openConfigFile` behave towards the process, on a process and an app that the test holds. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { openConfigFile } from "../../src/cli/config-file.ts";
import { type Start, serve } from "../../src/cli/serve.ts";
import { createLog } from "../../src/log.ts";
import { makeSignalledProcess } from "../support/fake-process.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { within } from "../support/wait.ts";

let folder: TempFolder;
let file: string;
beforeAll(async () => {
  folder = await makeTempFolder();
  file = await folder.write("post-msg.toml", `[hosts."example.com"]\n[sessions]\nidle = "1m"\n`);
});
afterAll(() => folder.remove());

/** `serve` on an app that counts its stops; `stop` is what one of them waits for. */
function startServe(
  options: { start?: Start; stop?: () => Promise<void>; stopDeadlineMs?: number; file?: string } = {},
) {
  const host = makeSignalledProcess();
  const events: { level: string; msg: string; err?: { stack: string } }[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    destination: { write: (line) => events.push(JSON.parse(line)) },
  });
  let stops = 0;
  const start: Start = async () => ({
    url: "http://127.0.0.1:1/msg",
    reload: async () => {},
    stop: async () => {
      stops += 1;
      await options.stop?.();
    },
  });
  const code = serve(options.file ?? file, {
    process: host.process,
    loadStart: async () => options.start ?? start,
    log,
    ...(options.stopDeadlineMs === undefined ? {} : { stopDeadlineMs: options.stopDeadlineMs }),
  });
  const ended = within(5_000, "serve to end", code);
  return { ...host, events, ended, stops: () => stops, errors: () => events.filter(({ level }) => level === "error") };
}

test.each(["SIGTERM", "SIGINT"] as const)("%s stops the app once and ends with 0", async (signal) => {
  const serving = startServe();
  await serving.ready;
  expect(serving.written).toEqual({
    output: expect.stringMatching(/^post-msg \d\S+ listens on http:\/\/127\.0\.0\.1:1\/msg\n$/),
    errors: "",
  });
  serving.signal(signal);
  expect([await serving.ended, serving.stops(), serving.exits, serving.listeners()]).toEqual([0, 1, [], 0]);
  expect(serving.errors()).toEqual([]);
});

test.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const)("a second signal, %s, ends the process at once with %d", async (signal, code) => {
  const stop = Promise.withResolvers<void>();
  const serving = startServe({ stop: () => stop.promise });
  await serving.ready;
  serving.signal("SIGTERM");
  expect(serving.exits).toEqual([]);
  serving.signal(signal);
  expect(serving.exits).toEqual([code]);
  stop.resolve();
  expect([await serving.ended, serving.stops()]).toEqual([0, 1]);
});

test("a signal that comes before the app listens stops it when it does", async () => {
  const started = Promise.withResolvers<Awaited<ReturnType<Start>>>();
  const called = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  const serving = startServe({
    start: () => {
      called.resolve();
      return started.promise;
    },
  });
  await called.promise;
  serving.signal("SIGTERM");
  started.resolve({ url: "http://127.0.0.1:1/msg", reload: async () => {}, stop: async () => stopped.resolve() });
  expect(await serving.ended).toBe(0);
  await stopped.promise;
});

test("a drain that never ends is given up at its deadline, with 75", async () => {
  const serving = startServe({ stop: () => new Promise(() => {}), stopDeadlineMs: 20 });
  await serving.ready;
  serving.signal("SIGTERM");
  expect([await serving.ended, serving.listeners()]).toEqual([75, 0]);
  expect(serving.errors().map(({ msg }) => msg)).toEqual([
    "The drain is not done at its deadline; what is still open is cut off.",
  ]);
});

test("an unforeseen fault is logged with its stack, the app is stopped once, and the end is 70", async () => {
  const stop = Promise.withResolvers<void>();
  const serving = startServe({ stop: () => stop.promise });
  await serving.ready;
  serving.fault(new Error("boom"));
  serving.fault(new Error("and again"));
  serving.signal("SIGTERM");
  stop.resolve();
  expect([await serving.ended, serving.stops(), serving.exits]).toEqual([70, 1, []]);
  expect(serving.errors().map(({ err }) => err?.stack)).toEqual([
    expect.stringMatching(/boom[\s\S]*cli-serve\.test\.ts/),
    expect.stringContaining("and again"),
  ]);
});

test("a start or a stop that fails unforeseen is logged and ends with 70", async () => {
  const starting = startServe({ start: () => Promise.reject(new TypeError("no start")) });
  expect([await starting.ended, starting.listeners(), starting.written.output]).toEqual([70, 0, ""]);
  expect(starting.errors()[0]?.err?.stack).toContain("no start");

  const stopping = startServe({
    stop: () => Promise.reject(new Error("no stop")),
  });
  await stopping.ready;
  stopping.signal("SIGINT");
  expect(await stopping.ended).toBe(70);
  expect(stopping.errors()[0]?.err?.stack).toContain("no stop");
});

test("what the app says when it cannot listen is told with the file to change, and ends with 69", async () => {
  const serving = startServe({ start: () => Promise.reject(new Error("Could not listen: taken.")) });
  expect([await serving.ended, serving.listeners(), serving.errors()]).toEqual([69, 0, []]);
  expect(serving.written.errors).toBe(`Could not listen: taken. Mend that, or change the address in "${file}".\n`);
});

test("the configuration's warnings are logged, with its addresses", async () => {
  const narrow = `recipients = ["bob@example.com"]\n[sessions]\nidle = "1m"\n[aliases]\nx = ["carol@example.com"]\n`;
  const serving = startServe({ file: await folder.write("narrow.toml", `[hosts."example.com"]\n${narrow}`) });
  await serving.ready;
  serving.signal("SIGTERM");
  await serving.ended;
  expect(serving.events.slice(0, 2)).toEqual([
    expect.objectContaining({ level: "warn", msg: expect.stringContaining("[sessions] idle") }),
    expect.objectContaining({ level: "warn", msg: expect.stringContaining('"carol@example.com"') }),
  ]);
});

test("without any configuration three lines say what to write and where", async () => {
  const { process, written } = makeSignalledProcess();
  const defaults = [`${folder.path}/a.toml`, `${folder.path}/b.toml`];
  expect(await openConfigFile(undefined, process, defaults)).toBeUndefined();
  const lines = written.errors.split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain(`neither ${defaults[0]} nor ${defaults[1]} exists`);
  expect(lines[1]).toContain(`to ${defaults[0]}`);
  const suggested = await folder.write("suggested.toml", lines[2] ?? "");
  expect(await openConfigFile(suggested, process)).toMatchObject({ file: suggested });
});

test("the first default that exists is taken, and a broken one is not passed over", async () => {
  const { process, written } = makeSignalledProcess();
  const missing = `${folder.path}/missing.toml`;
  expect(await openConfigFile(undefined, process, [missing, file])).toMatchObject({ file });
  const broken = await folder.write("broken.toml", "x");
  expect(await openConfigFile(undefined, process, [broken, file])).toBeUndefined();
  expect(written.errors).toStartWith(`${broken}:1: `);
});
