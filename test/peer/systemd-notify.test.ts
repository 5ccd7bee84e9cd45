/** The executable as systemd runs it: what it is told of, and when. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { listenForNotifications } from "../support/notify-socket.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
let peer: Peer;
beforeEach(async () => {
  [folder, peer] = await Promise.all([makeTempFolder(), startPeer()]);
});
afterEach(() => Promise.all([folder.remove(), peer.stop()]));

test("it says READY when it takes requests, WATCHDOG while it runs, STOPPING at SIGTERM with a request in flight", async () => {
  const release = Promise.withResolvers<void>();
  peer.change({ ackPolicy: (handled) => release.promise.then(() => handled) });
  await using systemd = await listenForNotifications(join(folder.path, "notify"));
  const env = { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: "200000", WATCHDOG_PID: undefined };
  const gateway = await startBinary({ hosts: hostOf(peer), env });
  await systemd.hears("READY=1");
  await systemd.hears("WATCHDOG=1", 2);
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  const stopped = gateway.stop();
  await systemd.hears("STOPPING=1");
  release.resolve();
  expect((await reply).status).toBe(201);
  await stopped;
  expect(systemd.received().every(({ pid }) => pid === gateway.process.pid)).toBe(true);
});

test("a reload is told from its beginning to its end, also when the configuration is not good any more", async () => {
  await using systemd = await listenForNotifications(join(folder.path, "reload"));
  await using gateway = await startBinary({
    hosts: hostOf(peer),
    env: { NOTIFY_SOCKET: systemd.path },
    expectedErrors: /max_body|not good/,
  });
  await systemd.hears("READY=1");
  await gateway.reload({ hosts: hostOf(peer) });
  await systemd.hears("READY=1", 2);
  await gateway.reload({ hosts: hostOf(peer), settings: { http: { max_body: "lots" } } });
  await systemd.hears("READY=1", 3);
  const told = systemd.received().map(({ text }) => text.split("\n")[0]);
  expect(told).toEqual(["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1"]);
});

test("a NOTIFY_SOCKET that leads nowhere is a warning, and messages are delivered all the same", async () => {
  const path = join(folder.path, "nobody");
  await using gateway = await startBinary({ hosts: hostOf(peer), env: { NOTIFY_SOCKET: path } });
  const { level, msg } = await gateway.logged((line) => line.msg.startsWith("Could not tell systemd"));
  expect([level, msg]).toEqual(["warn", `Could not tell systemd: NOTIFY_SOCKET "${path}" did not take "READY=1".`]);
  expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
});
