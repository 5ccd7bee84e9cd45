/** SIGHUP: what is read again, what is told, and what stays in force. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { openConfigFile } from "../../src/cli/config-file.ts";
import type { Process } from "../../src/cli/process.ts";
import { watchForReload } from "../../src/cli/reload.ts";
import type { Config } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { unusedProcess } from "../support/fake-process.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

const oneHost = `[hosts."example.com"]\n`;

async function watch(apply: (config: Config) => Promise<void> = async () => {}) {
  const listeners = new Set<() => void>();
  const process: Process = {
    ...unusedProcess,
    onReload: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const write = (text: string) => folder.write("post-msg.toml", text);
  const opened = await openConfigFile(await write(oneHost), process);
  if (opened === undefined) throw new Error("The configuration is not good.");
  const lines: { level: string; msg: string; setting?: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const applied: Config[] = [];
  const reload = async (config: Config) => {
    applied.push(config);
    await apply(config);
  };
  const reloading = watchForReload(opened, {
    process,
    log: createLog({ level: "info", format: "json", destination }),
    app: Promise.resolve({ reload }),
    supervisor: undefined,
  });
  const hangUp = () => {
    for (const listener of listeners) listener();
  };
  return { write, hangUp, reloading, applied, lines, listeners };
}

test("the file is read again and applied, and its warnings are told", async () => {
  const { write, hangUp, reloading, applied, lines } = await watch();
  await write(`${oneHost}[hosts."example.org"]\n[http]\nmax_body = "1KiB"\nlisten = "0.0.0.0:5280"\n`);
  hangUp();
  await reloading.settled();
  expect(applied.map(({ hosts, http }) => [[...hosts.keys()], http.maxBodyBytes])).toEqual([
    [["example.com", "example.org"], 1024],
  ]);
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    expect.stringMatching(/^warn .*post-msg\.toml:5: \[http\] listen: should be a loopback address/),
    "warn [http] listen has changed, which takes effect when post-msg starts again.",
    "info The configuration has been read again.",
  ]);
});

test("one that is not good is told with all its problems, and is not applied; the next good one is", async () => {
  const { write, hangUp, reloading, applied, lines } = await watch();
  await write(`${oneHost}[http]\nmax_body = "lots"\npath = "msg"\n`);
  hangUp();
  await reloading.settled();
  expect(applied).toEqual([]);
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    expect.stringMatching(/^error .*:3: \[http\] max_body: must be a size/),
    expect.stringMatching(/^error .*:4: \[http\] path: must begin/),
    "error The configuration is not good, so the one in force stays.",
  ]);
  await write(oneHost);
  hangUp();
  await reloading.settled();
  expect(applied).toHaveLength(1);
});

test("mistakes and warnings show the addresses of the file as they are", async () => {
  const { write, hangUp, reloading, lines } = await watch();
  const reloadWith = async (text: string) => {
    lines.length = 0;
    await write(text);
    hangUp();
    await reloading.settled();
    return lines.map(({ msg }) => msg.replace(/^.*post-msg\.toml:/, ""));
  };
  expect(await reloadWith(`${oneHost}[aliases]\noncall = ["bob@"]\n`)).toEqual([
    '3: [aliases] oncall: must be a list of addresses such as ["alice@example.com", "ops@conference.example.com"]; "bob@" is none: its domain is empty, got ["bob@"]',
    "The configuration is not good, so the one in force stays.",
  ]);
  const narrow = `${oneHost}recipients = ["bob@example.com"]\n[aliases]\noncall = ["carol@example.com"]\n`;
  expect((await reloadWith(narrow))[0]).toMatch(/^4: \[aliases\] oncall: .*"carol@example\.com"/);
});

test("what takes effect at a start only is named, each time, until it is as it was at the start", async () => {
  const { write, hangUp, reloading, lines } = await watch();
  const reloadWith = async (text: string) => {
    lines.length = 0;
    await write(`${oneHost}${text}`);
    hangUp();
    await reloading.settled();
    return lines.flatMap(({ level, setting }) => (level === "warn" ? [setting] : []));
  };
  const settings = `[http]\nreuse_port = true\nmax_in_flight = 1\n[sessions]\nverify = "1m"\n[log]\nlevel = "warn"\n`;
  const named = ["[http] reuse_port", "[sessions] verify", "[log] level"];
  expect(await reloadWith(settings)).toEqual(named);
  expect(await reloadWith(settings)).toEqual(named);
  expect(await reloadWith("")).toEqual([]);
});

test("signals are served one after the other, and the last one sees what the file says then", async () => {
  const applying = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let most = 0;
  let now = 0;
  const { write, hangUp, reloading, applied } = await watch(async () => {
    now += 1;
    most = Math.max(most, now);
    applying.resolve();
    await go.promise;
    now -= 1;
  });
  hangUp();
  await applying.promise;
  hangUp();
  await write(`[hosts."example.org"]\n`);
  go.resolve();
  await reloading.settled();
  expect([most, applied.map(({ hosts }) => [...hosts.keys()])]).toEqual([1, [["example.com"], ["example.org"]]]);
});

test("what the app cannot take is told, and after the release nothing is heard any more", async () => {
  const { hangUp, reloading, lines, listeners } = await watch(() => Promise.reject(new Error("Could not listen.")));
  hangUp();
  await reloading.settled();
  expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
    "error The configuration could not be taken, so the one in force stays.",
  ]);
  reloading.release();
  expect(listeners.size).toBe(0);
});
