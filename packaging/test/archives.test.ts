/** The archives, as somebody who downloads them meets them. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type BinaryOptions, startBinary } from "../../test/support/gateway.ts";
import { hostOf } from "../../test/support/gateway-config.ts";
import { type Peer, startPeer } from "../../test/support/peer/peer.ts";
import { targets } from "../targets.ts";
import { runLong } from "./support/debian-machine.ts";
import { readSignature } from "./support/mach-o.ts";
import { publishedFolder, type Unpacked, unpack } from "./support/published.ts";

const slowMs = 120_000;
const unpacked = new Map<string, Unpacked>();
let peer: Peer;
beforeAll(async () => {
  peer = await startPeer();
  for (const { name } of targets) unpacked.set(name, await unpack(name));
}, slowMs);
afterAll(async () => {
  await peer.stop();
  for (const { remove } of unpacked.values()) await remove();
});

const pathIn = (target: string, name: string) => join(unpacked.get(target)?.path ?? "", name);

test(
  "SHA256SUMS is right, and names everything that is published",
  async () => {
    const checked = await runLong(["sh", "-c", `cd '${publishedFolder}' && sha256sum -c SHA256SUMS`], slowMs);
    const lines = checked.trim().split("\n");
    expect(lines.every((line) => line.endsWith(": OK"))).toBe(true);
    expect(lines).toHaveLength(targets.length + targets.filter(({ debian }) => debian).length + 1);
  },
  slowMs,
);

test.each(targets.map(({ name }) => name))(
  "the archive for %s has all that belongs to it, and is root's",
  async (target) => {
    const names = [
      "post-msg",
      "post-msg.toml",
      "post-msg.service",
      "install.sh",
      "README.md",
      "LICENSE",
      "LICENSES.txt",
    ];
    for (const name of [...names, "man/post-msg.1", "docs/install.md", "prometheus/post-msg.rules.yml"]) {
      expect([name, await Bun.file(pathIn(target, name)).exists()]).toEqual([name, true]);
    }
  },
);

const emulators: readonly (readonly [name: string, target: string, emulator: readonly string[]])[] = [
  ["this machine", "linux-x64", []],
  ["an x64 processor without AVX", "linux-x64", ["/usr/bin/qemu-x86_64-static", "-cpu", "Nehalem"]],
  ["an arm64 processor", "linux-arm64", ["/usr/bin/qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"]],
];

test.each(emulators)(
  "it starts on %s, and a message gets through",
  async (_, target, emulator) => {
    const program = [...emulator, pathIn(target, "post-msg")];
    const options: BinaryOptions = { hosts: hostOf(peer), program, readyDeadlineMs: slowMs };
    const gateway = await startBinary(options);
    expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
    await gateway.stop();
  },
  slowMs,
);

test.each(["linux-x64-musl", "linux-arm64-musl"])("the executable for %s is linked with musl", async (target) => {
  expect(await runLong(["readelf", "-d", pathIn(target, "post-msg")], slowMs)).toMatch(
    /libc\.musl-(x86_64|aarch64)\.so\.1/,
  );
});

test("macOS finds the signature that it demands on arm64, and none that is wrong on x64", async () => {
  const arm = readSignature(await Bun.file(pathIn("macos-arm64", "post-msg")).bytes());
  expect(arm).toEqual({ pages: expect.any(Number), wrongPages: 0 });
  expect(arm?.pages).toBeGreaterThan(1_000);
  expect(readSignature(await Bun.file(pathIn("macos-x64", "post-msg")).bytes())).toBeUndefined();
});

test(
  "the executables for one system differ from target to target",
  async () => {
    const digests = targets.map(async ({ name }) =>
      createHash("sha256")
        .update(await Bun.file(pathIn(name, "post-msg")).bytes())
        .digest("hex"),
    );
    expect(new Set(await Promise.all(digests)).size).toBe(targets.length);
  },
  slowMs,
);
