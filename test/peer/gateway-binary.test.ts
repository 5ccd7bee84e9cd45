/** The executable as it is shipped, in front of the scripted peer: what only a process of its own can show. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { type BinaryOptions, startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { makeTempFolder } from "../support/temp-folder.ts";

let peer: Peer;
beforeEach(async () => {
  peer = await startPeer();
});
afterEach(() => peer.stop());

const start = (options: Partial<BinaryOptions> = {}) => startBinary({ hosts: hostOf(peer), ...options });

test("on SIGTERM it waits for the acknowledgement of a message in flight, closes the stream and exits 0", async () => {
  const release = Promise.withResolvers<void>();
  peer.change({ ackPolicy: (handled) => release.promise.then(() => handled) });
  const gateway = await start();
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  const stopped = gateway.stop();
  await gateway.logged(({ msg }) => msg.startsWith("Stopping"));
  release.resolve();
  expect((await reply).status).toBe(201);
  await stopped;
  expect(await gateway.process.exited).toBe(0);
  const connection = await peer.connection(1);
  expect(connection.streamEnded).toBe(true);
  expect(connection.text).toEndWith("</stream:stream>");
});

test("SIGINT stops it in the same way", async () => {
  const gateway = await start();
  expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
  process.kill(gateway.process.pid, "SIGINT");
  expect(await gateway.process.exited).toBe(0);
  expect((await peer.connection(1)).streamEnded).toBe(true);
  await gateway.stop();
});

test("the environment cannot switch off the check of certificates", async () => {
  peer.change({ certificate: await peer.authority.issue({ dnsNames: ["example.net"] }) });
  await using gateway = await start({
    env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    // The runtime warns of it.
    expectedErrors: /NODE_TLS_REJECT_UNAUTHORIZED|--trace-warnings/,
  });
  const response = await gateway.post("/msg/bob@example.com", "hi");
  expect(await response.json()).toMatchObject({ status: 502, code: "certificate_name_mismatch" });
  expect(peer.sawSasl).toBe(false);
});

test("no password and no text of a message is in the log, not even with level debug", async () => {
  const gateway = await start({ settings: { log: { level: "debug" } } });
  const user = "alice@example.com:secret";
  for (const word of ["first-text", "second-text"]) {
    expect((await gateway.post("/msg/bob@example.com", word, { user })).status).toBe(201);
  }
  const bounce = { when: "before-ack", condition: "item-not-found" } as const;
  peer.change({ bounce: () => bounce });
  expect((await gateway.post("/msg/bob@example.com", "third-text", { user })).status).toBe(404);
  expect((await gateway.post("/msg/bob@example.com", "x", { user: "alice@example.com:wrong-word" })).status).toBe(401);
  await gateway.stop();
  const output = gateway.process.output();
  expect(gateway.lines.length).toBeGreaterThan(4);
  expect(output).not.toMatch(/secret|wrong-word|-text/);
  for (const text of [user, "alice@example.com:wrong-word"]) {
    expect(output).not.toContain(Buffer.from(text).toString("base64"));
  }
});

test("an unforeseen exception is logged with its stack, what is in flight is finished, the exit code is 70", async () => {
  const folder = await makeTempFolder();
  const sabotage = `process.on("SIGUSR2", () => { throw new RangeError("nobody saw this coming"); });`;
  const source = join(import.meta.dir, "../../src/main.ts");
  const program = [process.execPath, "--preload", await folder.write("sabotage.ts", sabotage), source];
  const release = Promise.withResolvers<void>();
  peer.change({ ackPolicy: (handled) => release.promise.then(() => handled) });
  const gateway = await start({ program, exitCode: 70, expectedErrors: /^An unforeseen fault/ });
  const reply = gateway.post("/msg/bob@example.com", "hi");
  await peer.message();
  process.kill(gateway.process.pid, "SIGUSR2");
  const line = await gateway.logged(({ level }) => level === "error");
  expect(line).toMatchObject({ err: { type: "RangeError", message: "nobody saw this coming" } });
  expect(JSON.stringify(line)).toContain("sabotage.ts");
  release.resolve();
  expect((await reply).status).toBe(201);
  expect(await gateway.process.exited).toBe(70);
  expect((await peer.connection(1)).streamEnded).toBe(true);
  await gateway.stop();
  await folder.remove();
});
