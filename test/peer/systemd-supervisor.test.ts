/** What systemd is told, on a real datagram socket; and that nothing of it can hurt where there is no systemd. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openSupervisor } from "../../src/systemd/supervisor.ts";
import { listenForNotifications } from "../support/notify-socket.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

async function open(environment: Record<string, string | undefined>) {
  const problems: string[] = [];
  const onProblem = (reason: string) => void problems.push(reason);
  const supervisor = await openSupervisor({ environment, pid: process.pid, onProblem });
  return { supervisor, problems };
}

test.each([
  ["a file", () => join(folder.path, "notify")],
  ["a name of the abstract kind", () => `@post-msg-test-${process.pid}`],
])("ready, reloading and stopping are told in order, to %s", async (_, makePath) => {
  await using systemd = await listenForNotifications(makePath());
  const { supervisor, problems } = await open({ NOTIFY_SOCKET: systemd.path });
  const uptimeSeconds = Number.parseFloat(await Bun.file("/proc/uptime").text());
  supervisor.ready();
  supervisor.reloading();
  supervisor.ready();
  supervisor.stopping();
  await systemd.hears("STOPPING=1");
  supervisor.close();
  expect(systemd.received().map(({ text }) => text.split("\n")[0])).toEqual([
    "READY=1",
    "RELOADING=1",
    "READY=1",
    "STOPPING=1",
  ]);
  expect(systemd.received().every(({ pid }) => pid === process.pid)).toBe(true);
  const [, microseconds] = /\nMONOTONIC_USEC=(\d+)$/.exec(systemd.received()[1]?.text ?? "") ?? [];
  expect(Math.abs(Number(microseconds) / 1e6 - uptimeSeconds)).toBeLessThan(30);
  expect(problems).toEqual([]);
});

test("the watchdog is told twice as often as it asks, until the end", async () => {
  await using systemd = await listenForNotifications(join(folder.path, "watchdog"));
  const { supervisor } = await open({
    NOTIFY_SOCKET: systemd.path,
    WATCHDOG_USEC: "40000",
    WATCHDOG_PID: String(process.pid),
  });
  await systemd.hears("WATCHDOG=1", 3);
  supervisor.close();
});

test.each([{ WATCHDOG_USEC: "20000", WATCHDOG_PID: "1" }, { WATCHDOG_USEC: "0" }, { WATCHDOG_USEC: "soon" }])(
  "no watchdog is told where it asks somebody else, or for nothing: %j",
  async (environment) => {
    await using systemd = await listenForNotifications(
      join(folder.path, `quiet-${JSON.stringify(environment).length}`),
    );
    const { supervisor } = await open({ NOTIFY_SOCKET: systemd.path, ...environment });
    // Time passes: another one is told three times.
    await using other = await listenForNotifications(`${systemd.path}-other`);
    const ticking = await open({ NOTIFY_SOCKET: other.path, WATCHDOG_USEC: "20000" });
    await other.hears("WATCHDOG=1", 3);
    ticking.supervisor.close();
    supervisor.ready();
    await systemd.hears("READY=1");
    supervisor.close();
    expect(systemd.received()).toHaveLength(1);
  },
);

test.each([{}, { NOTIFY_SOCKET: "" }])(
  "without systemd nothing is said and nothing goes wrong: %j",
  async (environment) => {
    const { supervisor, problems } = await open(environment);
    supervisor.ready();
    supervisor.reloading();
    supervisor.stopping();
    supervisor.close();
    expect(problems).toEqual([]);
  },
);

test.each([
  ["vsock:2:1", `NOTIFY_SOCKET "vsock:2:1" cannot be used: it must begin with "/" or "@"`],
  [`/${"x".repeat(200)}`, /^NOTIFY_SOCKET "\/x+" cannot be used: it is longer than 107 bytes$/],
  ["/nowhere/notify", `NOTIFY_SOCKET "/nowhere/notify" did not take "READY=1"`],
])("a socket that cannot be used is named, once: %j", async (path, problem) => {
  const { supervisor, problems } = await open({ NOTIFY_SOCKET: path });
  supervisor.ready();
  supervisor.stopping();
  supervisor.close();
  expect(problems).toEqual([problem instanceof RegExp ? expect.stringMatching(problem) : problem]);
});

test("a systemd that does not read is not waited for", async () => {
  await using systemd = await listenForNotifications(join(folder.path, "stuck"));
  systemd.pause();
  const { supervisor, problems } = await open({ NOTIFY_SOCKET: systemd.path });
  for (let count = 0; count < 100_000 && problems.length === 0; count++) supervisor.ready();
  supervisor.close();
  expect(problems).toEqual([`NOTIFY_SOCKET "${systemd.path}" did not take "READY=1"`]);
});
