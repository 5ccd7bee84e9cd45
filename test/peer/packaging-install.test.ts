/** install.sh, with the executable as it was built; and that the executable takes nothing from where it is started. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { access, chmod, readdir, rm } from "node:fs/promises";
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
  expect(await install(destination)).toBe(`To be edited next: ${configuration}\n`);
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

test("it says what comes next: with systemd, where that looks for the unit, and without", async () => {
  const place = join(folder.path, "without systemd");
  const configuration = join(place, "etc/post-msg/post-msg.toml");
  const program = join(place, "bin/post-msg");
  const check = `  ${program} check --connect --config ${configuration}    # is it good, and the server well?`;
  // A systemctl that is there, and is not called.
  await chmod(await folder.write("bin/systemctl", "#!/bin/sh\nexit 1\n"), 0o755);
  const says = async (variables: Readonly<Record<string, string>>) => {
    const PATH = `${join(folder.path, "bin")}:${process.env["PATH"]}`;
    const env = { ...process.env, PATH, PREFIX: place, SYSCONFDIR: join(place, "etc"), ...variables };
    return (await runToEnd(["sh", join(packed, "install.sh")], { env })).trimEnd().split("\n");
  };
  expect(await says({})).toEqual([
    `To be edited next: ${configuration}`,
    "Then:",
    check,
    `  ${program} serve --config ${configuration}`,
  ]);
  const systemd = { SYSTEMD_UNIT_PATH: `/elsewhere:${place}/lib/systemd/system` };
  const watch = "  journalctl -u post-msg    # what it says";
  expect((await says(systemd)).slice(2)).toEqual([
    check,
    "  systemctl daemon-reload",
    "  systemctl restart post-msg",
    watch,
  ]);
  await rm(configuration);
  expect((await says(systemd)).slice(2)).toEqual([
    check,
    "  systemctl daemon-reload",
    "  systemctl enable --now post-msg",
    watch,
  ]);
  const unit = await Bun.file(join(place, "lib/systemd/system/post-msg.service")).text();
  expect(unit).toContain(`${program} serve --config ${configuration}\n`);
  expect(unit).toContain(`-- ${program} check --config ${configuration}\n`);
  expect(unit).not.toContain("=tls.crt:/etc/");
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
