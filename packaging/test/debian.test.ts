/**
 * The Debian package on a fresh Debian 12 without Node or Bun, booted with its own systemd, beside a real Prosody. The
 * tests are one story: each goes on where the one before it ended.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeAuthority } from "../../test/support/ca.ts";
import type { ChildProcess } from "../../test/support/child-process.ts";
import { makeTempFolder, type TempFolder } from "../../test/support/temp-folder.ts";
import { eventually } from "../../test/support/wait.ts";
import { makeDebianPackage } from "../debian.ts";
import { bootDebian, type DebianMachine, runLong } from "./support/debian-machine.ts";
import { findPublished, unpack } from "./support/published.ts";

const setUpMs = 10 * 60_000;
const configuration = "/etc/post-msg/post-msg.toml";

let folder: TempFolder;
let debian: DebianMachine;
let bob: ChildProcess;
let newer = "";
const older = "/root/older.deb";

beforeAll(async () => {
  folder = await makeTempFolder();
  debian = await bootDebian(["prosody", "curl", "procps"]);
  expect(await debian.run("command -v node nodejs bun npm || echo none")).toBe("none\n");
  const published = await findPublished("_amd64.deb");
  newer = `/root/${basename(published)}`;
  await cp(published, join(debian.root, newer));
  await cp(await makeOlderPackage(), join(debian.root, older));
  await startProsody();
}, setUpMs);
afterAll(async () => {
  await bob?.kill();
  await debian?.stop();
  await folder?.remove();
}, 60_000);

/** As one of an earlier version, whose sample configuration was another one. */
async function makeOlderPackage(): Promise<string> {
  const unpacked = await unpack("linux-x64");
  const sample = join(unpacked.path, "post-msg.toml");
  await Bun.write(sample, `# An earlier one.\n${await Bun.file(sample).text()}`);
  const time = new Date("2020-01-01T00:00:00Z");
  const scratch = join(folder.path, "scratch");
  const options = { architecture: "amd64", version: "0.0.1", time, scratch, destination: folder.path } as const;
  const file = await makeDebianPackage({ folder: unpacked.path, ...options });
  await unpacked.remove();
  return file;
}

/** Debian's own, for example.com, where alice writes to bob. */
async function startProsody(): Promise<void> {
  const authority = await makeAuthority();
  const { certificatePem, keyPem } = await authority.issue({ dnsNames: ["example.com"] });
  await folder.write("ca.pem", authority.certificatePem);
  const put = (path: string, content: string) => Bun.write(join(debian.root, path), content);
  await mkdir(join(debian.root, "/srv/certificates"));
  await put("/srv/certificates/ca.pem", authority.certificatePem);
  await put("/srv/certificates/example.com.crt", certificatePem);
  await put("/srv/certificates/example.com.key", keyPem);
  await put(
    "/etc/prosody/conf.d/example.com.cfg.lua",
    `VirtualHost "example.com"
ssl = { certificate = "/srv/certificates/example.com.crt"; key = "/srv/certificates/example.com.key" }
`,
  );
  await debian.run(`
    chmod 640 /srv/certificates/example.com.key; chgrp prosody /srv/certificates/example.com.key
    systemctl restart prosody
    prosodyctl register alice example.com secret; prosodyctl register bob example.com secret`);
  const receiver = join(import.meta.dir, "support/receive.ts");
  const login = ["5222", join(folder.path, "ca.pem"), "bob@example.com", "secret"];
  const start = () => {
    bob = debian.startInNetwork([process.execPath, receiver, ...login]);
    return bob.says(/^online\n/, 10_000).then(
      () => true,
      () => false,
    );
  };
  await eventually(start, 30_000, "bob to be online");
}

async function send(text: string, ...curl: readonly string[]): Promise<string> {
  const words = ["curl", "-sS", "-w", "' %{http_code}'", "-u", "alice@example.com:secret", "-d", `'${text}'`, ...curl];
  const to = curl.length === 0 ? ["http://127.0.0.1:5280/msg/bob"] : [];
  return debian.run([...words, ...to].join(" "));
}

/** Where it does not start, its journal says why. */
async function restart(): Promise<void> {
  await debian.run("systemctl restart post-msg").catch(async (error: Error) => {
    throw new Error(`${error.message}\n${(await journal()).slice(-3_000)}`);
  });
}

const show = async (property: string) => (await debian.run(`systemctl show -P ${property} post-msg`)).trim();
const journal = () => debian.run("journalctl --no-pager -o cat -u post-msg");

test("there is neither Node nor Bun, and the package needs nothing that is not there", async () => {
  expect(await debian.run("command -v node nodejs bun npm || echo none")).toBe("none\n");
  const output = await debian.run(`apt-get install --yes ${older}`, 120_000);
  expect(output).toContain("Edit /etc/post-msg/post-msg.toml");
  expect(await show("ActiveState")).toBe("inactive");
  expect(await debian.run("systemctl is-enabled post-msg || true")).toBe("disabled\n");
  expect(await debian.run("post-msg --version")).toMatch(/^post-msg \d/);
}, 150_000);

test("two lines edited and a start: a message arrives at a real Prosody", async () => {
  await debian.run(`
    cp /srv/certificates/ca.pem /etc/post-msg/ca.pem
    sed -i 's|^#connect = .*|connect = "xmpp://127.0.0.1:5222"|; s|^#ca_file = .*|ca_file = "/etc/post-msg/ca.pem"|' ${configuration}
    post-msg check --connect
    systemctl enable --now post-msg`);
  expect(await show("ActiveState")).toBe("active");
  expect(await send("disk full")).toEndWith("} 201");
  await bob.says(/^\{"from":"alice@example\.com\/[^"]+","body":"disk full"\}$/m, 5_000);
});

test("it runs as nobody that exists otherwise, under the unit's filter of system calls", async () => {
  const status = await debian.run(`cat /proc/${await show("MainPID")}/status`);
  expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBeGreaterThanOrEqual(61_184);
  expect(status).toMatch(/^Seccomp:\s+2$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(status).toMatch(/^CapEff:\s+0+$/m);
});

test("an upgrade keeps the configuration and starts the new version where the old one ran", async () => {
  const before = await show("MainPID");
  const edited = await debian.run(`cat ${configuration}`);
  await debian.run(
    `apt-get install --yes -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold ${newer}`,
    120_000,
  );
  expect(await debian.run(`cat ${configuration}`)).toBe(edited);
  expect(await show("ActiveState")).toBe("active");
  expect(await show("MainPID")).not.toBe(before);
  expect(await send("after the upgrade")).toEndWith("} 201");
}, 150_000);

test("a reload reads the configuration again, in the same process", async () => {
  const before = await show("MainPID");
  await debian.run(`sed -i 's|^#max_body = .*|max_body = "1KiB"|' ${configuration}; systemctl reload post-msg`);
  await eventually(async () => (await journal()).includes("has been read again"), 10_000, "the reload");
  expect(await show("MainPID")).toBe(before);
  expect(await send("x".repeat(2_000))).toEndWith("} 413");
});

test("a reload with a mistake fails, and the process goes on with what it had", async () => {
  const before = await show("MainPID");
  await debian.run(`cp ${configuration} /root/good.toml; echo 'absurd = 1' >>${configuration}`);
  expect(await debian.run("systemctl reload post-msg && echo done || echo failed")).toEndWith("failed\n");
  expect([await show("ActiveState"), await show("MainPID")]).toEqual(["active", before]);
  expect(await journal()).toContain("absurd: ");
  await debian.run(`cp /root/good.toml ${configuration}; systemctl reload post-msg`);
  expect(await send("after the mistake")).toEndWith("} 201");
});

test("the TLS key, which only root may read, reaches it as a credential", async () => {
  await debian.run(`
    install -m 600 /srv/certificates/example.com.key /etc/post-msg/tls.key
    install -m 600 /srv/certificates/example.com.crt /etc/post-msg/tls.crt
    sed -i 's|^#tls_cert = .*|tls_cert = "/run/credentials/post-msg.service/tls.crt"|
            s|^#tls_key = .*|tls_key = "/run/credentials/post-msg.service/tls.key"|' ${configuration}`);
  await restart();
  const elsewhere = ["--cacert", "/srv/certificates/ca.pem", "--resolve", "example.com:5280:127.0.0.1"];
  expect(await send("by HTTPS", ...elsewhere, "https://example.com:5280/msg/bob")).toEndWith("} 201");
  // Where the file is checked, too.
  await debian.run("systemctl reload post-msg");
  await debian.run(`sed -i 's|^tls_|#tls_|' ${configuration}; rm /etc/post-msg/tls.*`);
  await restart();
  expect(await send("by HTTP")).toEndWith("} 201");
});

test("a proxy's user reaches its Unix socket, where the socket's mode says so", async () => {
  await debian.run(`
    sed -i '0,/^#listen = /s|^#listen = .*|listen = "unix:/run/post-msg/http.sock"|; s|^#socket_mode = .*|socket_mode = "0666"|' ${configuration}`);
  await restart();
  const call =
    "curl -sS -w ' %{http_code}' --unix-socket /run/post-msg/http.sock -u alice@example.com:secret -d hi http://gw/msg/bob";
  expect(await debian.run(`setpriv --reuid www-data --clear-groups ${call}`)).toEndWith("} 201");
  await debian.run(`sed -i 's|^listen = |#listen = |' ${configuration}`);
  await restart();
});

test("systemd starts it again when it hangs", async () => {
  await debian.run(`
    mkdir -p /etc/systemd/system/post-msg.service.d
    printf '[Service]\\nWatchdogSec=2s\\n' >/etc/systemd/system/post-msg.service.d/test.conf
    systemctl daemon-reload`);
  await restart();
  const before = await show("MainPID");
  await debian.run(`kill -STOP ${before}`);
  const startedAgain = async () => (await show("ActiveState")) === "active" && (await show("MainPID")) !== before;
  await eventually(startedAgain, 30_000, "post-msg to be started again");
  expect(await send("after it hung")).toEndWith("} 201");
  await debian.run("rm -r /etc/systemd/system/post-msg.service.d; systemctl daemon-reload");
  await restart();
}, 60_000);

test("a mistake in the configuration is in the journal, and is not tried again and again", async () => {
  await debian.run(`cp ${configuration} /root/good.toml; echo 'nonsense = 1' >>${configuration}`);
  await debian.run("systemctl restart post-msg || true");
  expect(await show("ActiveState")).toBe("failed");
  expect(await show("NRestarts")).toBe("0");
  expect(await journal()).toContain("nonsense");
  await debian.run(`cp /root/good.toml ${configuration}`);
  await restart();
});

test("removed, it stops and leaves the configuration; purged, it leaves nothing", async () => {
  await debian.run("apt-get remove --yes post-msg");
  expect(await debian.run("pgrep -x post-msg || echo none")).toBe("none\n");
  expect(await readdir(join(debian.root, "etc/post-msg"))).toContain("post-msg.toml");
  expect(await debian.run("command -v post-msg || echo none")).toBe("none\n");
  await debian.run("rm /etc/post-msg/ca.pem; apt-get purge --yes post-msg");
  const left =
    "find / -xdev -name '*post-msg*' -not -path '/proc/*' -not -path '/root/*' -not -path '/var/lib/systemd/*' | grep -v /var/cache || true";
  expect(await debian.run(left)).toBe("");
}, 60_000);

test.each(["amd64", "arm64"])(
  "lintian has nothing to say of the package for %s but what is overridden by name",
  async (architecture) => {
    const lintian = ["lintian", "--fail-on", "error,warning", "--tag-display-limit", "0"];
    expect(await runLong([...lintian, await findPublished(`_${architecture}.deb`)], 120_000)).not.toMatch(/^[EW]:/m);
  },
  150_000,
);
