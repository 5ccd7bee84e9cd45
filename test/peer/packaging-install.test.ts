/** install.sh, with the executable as it was built; and that the executable takes nothing from where it is started. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makePackageFolder } from "../../packaging/package-folder.ts";
import { runToEnd } from "../support/child-process.ts";
import { startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { startPeer } from "../support/peer/peer.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

const root = join(import.meta.dir, "../..");

let folder: TempFolder;
let packed: string;
beforeAll(async () => {
  folder = await makeTempFolder();
  packed = join(folder.path, "packed");
  const metafile = join(root, "build/modules.json");
  await makePackageFolder(packed, { executable: join(root, "post-msg"), metafile });
});
afterAll(() => folder.remove());

function install(destination: string, ...words: readonly string[]): Promise<string> {
  const env = { ...process.env, DESTDIR: destination, PREFIX: "/opt/post msg" };
  return runToEnd(["sh", join(packed, "install.sh"), ...words], { env });
}

test("what is installed runs, a configuration stays as it is, and what is taken away leaves nothing else", async () => {
  const destination = join(folder.path, "destination");
  const prefix = join(destination, "opt/post msg");
  const configuration = join(destination, "etc/post-msg/post-msg.toml");
  expect(await install(destination)).toContain(`To be edited next: ${configuration}`);
  const program = join(prefix, "bin/post-msg");
  expect(await runToEnd([program, "--version"])).toMatch(/^post-msg \d+\.\d+\.\d+\S*\n$/);
  expect(await runToEnd([program, "check", "--config", configuration])).toContain(" is good: 1 host");
  const unit = await Bun.file(join(prefix, "lib/systemd/system/post-msg.service")).text();
  expect(unit).toContain("ExecStart=/opt/post msg/bin/post-msg serve");
  expect(await Bun.file(join(prefix, "share/man/man1/post-msg.1")).text()).toStartWith(".TH");
  const examples = join(prefix, "share/doc/post-msg/examples");
  for (const name of ["prometheus/post-msg.rules.yml", "fail2ban/filter.d/post-msg.conf"]) {
    expect(await Bun.file(join(examples, name)).text()).toContain("# ");
  }

  await Bun.write(configuration, "# mine\n");
  expect(await install(destination)).toContain(`${configuration} is there already and stays as it is`);
  expect(await Bun.file(configuration).text()).toBe("# mine\n");

  await install(destination, "remove");
  const left = await readdir(destination, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)).toEqual(["post-msg.toml"]);
});

test("what install.sh does not know is a mistake", async () => {
  expect(install(join(folder.path, "nowhere"), "purge")).rejects.toThrow(`not "purge"`);
  expect(access(join(folder.path, "nowhere"))).rejects.toThrow("ENOENT");
});

test("nothing in the executable tells in which folder it was built", async () => {
  const executable = Buffer.from(await Bun.file(join(packed, "post-msg")).arrayBuffer());
  expect(executable.includes(root)).toBe(false);
  expect(executable.includes("thread-stream")).toBe(true);
});

test("the licences of all packages inside go with it", async () => {
  const text = await Bun.file(join(packed, "LICENSES.txt")).text();
  for (const name of ["elysia 1", "saxes 6", "pino 10", "Bun 1", "LGPL-2.1"]) expect(text).toContain(`\n${name}`);
});

test("it takes nothing from a .env, bunfig.toml or the like in the folder that it is started in", async () => {
  const peer = await startPeer();
  const foreign = await makeTempFolder();
  await foreign.write(".env", "BUN_OPTIONS=--preload=./trap.ts\nNODE_TLS_REJECT_UNAUTHORIZED=0\nNOTIFY_SOCKET=/trap\n");
  await foreign.write(".env.production", "NOTIFY_SOCKET=/trap\n");
  await foreign.write("bunfig.toml", `preload = ["./trap.ts"]\n[serve]\nport = 1\n`);
  await foreign.write("package.json", `{ "imports": { "#trap": "./trap.ts" }, "type": "commonjs" }`);
  await foreign.write("tsconfig.json", `{ "compilerOptions": { "paths": { "*": ["./trap.ts"] } } }`);
  await foreign.write("trap.ts", `require("node:fs").writeFileSync("sprung", "");`);
  const program = ["/bin/sh", "-c", `cd '${foreign.path}' && exec '${join(packed, "post-msg")}' "$@"`, "post-msg"];
  // Where that is what the environment says, nothing could be shown.
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: undefined, NOTIFY_SOCKET: undefined };
  const gateway = await startBinary({ hosts: hostOf(peer), program, env });
  expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
  await gateway.stop();
  expect(gateway.lines.filter(({ msg }) => /systemd|TLS_REJECT/.test(msg))).toEqual([]);
  expect(await readdir(foreign.path)).not.toContain("sprung");
  await Promise.all([foreign.remove(), peer.stop()]);
});
