/**
 * The container file, built by a real builder. Registries of images are not asked: its base is what debootstrap makes,
 * under the name of the real one.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { makeTempFolder, type TempFolder } from "../../test/support/temp-folder.ts";
import { findMirror, runLong } from "./support/debian-machine.ts";
import { publishedFolder } from "./support/published.ts";

const containerfile = join(import.meta.dir, "../Containerfile");
const base = "docker.io/library/debian:12-slim";
const slowMs = 8 * 60_000;

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
  const root = join(folder.path, "base");
  await runLong(["debootstrap", "--variant=minbase", "bookworm", root, await findMirror()], slowMs);
  const empty = (await buildah("from", "scratch")).trim();
  await buildah("add", empty, root, "/");
  await buildah("commit", empty, base);
  await buildah(
    "build",
    "--pull-never",
    "--isolation=chroot",
    "--network=host",
    "--format=docker",
    "-f",
    containerfile,
    "-t",
    "post-msg",
    publishedFolder,
  );
}, slowMs);
afterAll(async () => {
  await buildah("rm", "--all");
  await buildah("rmi", "--all", "--force");
  await folder.remove();
}, slowMs);

/** With a storage of its own. */
function buildah(...words: readonly string[]): Promise<string> {
  const storage = [
    "--root",
    join(folder.path, "images"),
    "--runroot",
    join(folder.path, "run"),
    "--storage-driver",
    "vfs",
  ];
  return runLong(["buildah", ...storage, ...words], slowMs);
}

test("the image runs as nobody, serves by default, and asks post-msg whether it is well", async () => {
  const { Docker } = JSON.parse(await buildah("inspect", "--type", "image", "post-msg"));
  const { User, Entrypoint, Cmd, Healthcheck, ExposedPorts } = Docker.config;
  expect(User).toBe("65534:65534");
  expect([...Entrypoint, ...Cmd]).toEqual(["/usr/bin/post-msg", "serve", "--config", "/etc/post-msg/post-msg.toml"]);
  expect(Healthcheck.Test).toEqual(["CMD", "/usr/bin/post-msg", "health", "--config", "/etc/post-msg/post-msg.toml"]);
  expect(Object.keys(ExposedPorts)).toEqual(["5280/tcp"]);
});

test(
  "in a container of it, post-msg serves, and is well by its own health check",
  async () => {
    const container = (await buildah("from", "--pull-never", "post-msg")).trim();
    const settings = await folder.write("post-msg.toml", `[hosts."example.com"]\n[http]\nlisten = "127.0.0.1:5290"\n`);
    await buildah("copy", "--chmod", "644", container, settings, "/etc/post-msg/post-msg.toml");
    const script = `
    id -u
    post-msg health --config /etc/post-msg/post-msg.toml && exit 3
    post-msg serve --config /etc/post-msg/post-msg.toml & server=$!
    for each in 1 2 3 4 5 6 7 8 9 10; do
      post-msg health --config /etc/post-msg/post-msg.toml && healthy=yes && break || sleep 0.5
    done
    kill $server; wait $server
    test "$healthy" = yes`;
    const output = await buildah("run", "--isolation=chroot", container, "/bin/sh", "-c", script);
    expect(output).toStartWith("65534\n");
  },
  slowMs,
);
