/**
 * The proxy configurations of docs/server.md, each in the real proxy from Debian with a certificate: a message goes through
 * by HTTPS, and post-msg tells the proxy's clients apart. Ports, paths and names that belong to somebody else's machine
 * are replaced, and what keeps the proxy within a folder is put around; nothing else.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeAuthority } from "../support/ca.ts";
import { type ChildProcess, runToEnd, startChild } from "../support/child-process.ts";
import { type CodeBlock, readBlocks } from "../support/documents.ts";
import { findFreePort } from "../support/free-port.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { eventually } from "../support/wait.ts";

const blocks = (await readBlocks()).filter(({ file }) => file === "docs/server.md");
const name = "msg.example.com";
const deadlineMs = 20_000;

interface Place {
  readonly folder: TempFolder;
  readonly port: number;
  /** Certificate and key in one file, and apart. */
  readonly both: string;
  readonly certificate: string;
  readonly key: string;
}

type Language = "nginx" | "caddy" | "haproxy";
const proxies: Readonly<Record<Language, (block: string, place: Place) => Promise<readonly string[]>>> = {
  nginx: async (block, { folder, port, certificate, key }) => {
    const server = block
      .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
      .replace(/\S+fullchain\.pem/, certificate)
      .replace(/\S+privkey\.pem/, key);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((each) => `${each}_temp_path ${folder.path}/${each};`)
      .join(" ");
    const file = await folder.write(
      "nginx.conf",
      `daemon off; master_process off; pid ${folder.path}/nginx.pid; events { }\nhttp { access_log off; ${temporary}\n${server} }\n`,
    );
    return ["/usr/sbin/nginx", "-e", join(folder.path, "error.log"), "-p", folder.path, "-c", file];
  },
  caddy: async (block, { folder, port, certificate, key }) => {
    // Its own way to a certificate needs the internet.
    const site = block.replace(
      `${name} {`,
      `https://${name}:${port} {\n    bind 127.0.0.1\n    tls ${certificate} ${key}`,
    );
    const globals = `{\n    admin off\n    auto_https disable_redirects\n    storage file_system ${folder.path}/caddy\n}\n`;
    return [
      "/usr/bin/caddy",
      "run",
      "--adapter",
      "caddyfile",
      "--config",
      await folder.write("Caddyfile", globals + site),
    ];
  },
  haproxy: async (block, { folder, port, both }) => {
    const frontend = block.replace("bind :443", `bind 127.0.0.1:${port}`).replace(/crt \S+/, `crt ${both}`);
    return ["/usr/sbin/haproxy", "-db", "-f", await folder.write("haproxy.cfg", frontend)];
  },
};

describe.each(Object.keys(proxies) as Language[])("%s", (language) => {
  let peer: Peer;
  let gateway: Gateway;
  let folder: TempFolder;
  let proxy: ChildProcess;
  let port: number;

  beforeAll(async () => {
    const authority = await makeAuthority();
    peer = await startPeer({ authority });
    gateway = await startGateway({
      hosts: hostOf(peer),
      // As docs/server.md has it; and one guess is enough.
      settings: { http: { trusted_proxies: ["127.0.0.1"] }, throttle: { address_per_minute: 1, failure_delay: "0s" } },
    });
    folder = await makeTempFolder("post-msg-proxy-");
    port = await findFreePort();
    const { certificatePem, keyPem } = await authority.issue({ dnsNames: [name] });
    await folder.write("ca.pem", authority.certificatePem);
    const place: Place = {
      folder,
      port,
      both: await folder.write("both.pem", certificatePem + keyPem),
      certificate: await folder.write("cert.pem", certificatePem),
      key: await folder.write("key.pem", keyPem),
    };
    const block = blockOf(language).text.replaceAll("127.0.0.1:5280", `127.0.0.1:${gateway.port}`);
    const command = await proxies[language](block, place);
    proxy = startChild(command, { cwd: folder.path, env: { ...process.env, HOME: folder.path } });
    await eventually(
      async () => (await post("127.0.0.1", "alice@example.com:secret")).status === 201,
      deadlineMs,
      `${language} to pass messages on; so far it said ${proxy.output()}`,
    );
  }, 60_000);
  afterAll(async () => {
    await proxy?.terminate();
    await gateway?.stop();
    await peer?.stop();
    await folder?.remove();
  });

  /** By curl, from a loopback address. */
  async function post(from: string, user: string) {
    const output = await runToEnd([
      ...["curl", "--silent", "--cacert", join(folder.path, "ca.pem"), "--interface", from],
      ...["--resolve", `${name}:${port}:127.0.0.1`, "--user", user, "--data", "through a proxy"],
      ...["--write-out", "\n%{http_code}", `https://${name}:${port}/msg/bob@example.com`],
    ]).catch((error: unknown) => String(error));
    const [, body = "", status = "0"] = /^([\s\S]*)\n(\d{3})\s*$/.exec(output) ?? [];
    return { status: Number(status), body };
  }

  test("passes messages on", async () => {
    expect((await post("127.0.0.1", "alice@example.com:secret")).body).toContain(`"to":"bob@example.com"`);
    expect(peer.messages.at(-1)?.body).toBe("through a proxy");
  });

  test("tells post-msg who its clients are, so that one guesser does not lock out the others", async () => {
    expect((await post("127.10.0.1", "alice@example.com:wrong1")).status).toBe(401);
    expect((await post("127.10.0.1", "alice@example.com:wrong2")).status).toBe(429);
    const third = await post("127.10.0.2", "alice@example.com:wrong3");
    expect(third.status, third.body).toBe(401);
  });

  test("is no other site to a browser", async () => {
    const output = await runToEnd([
      ...["curl", "--silent", "--cacert", join(folder.path, "ca.pem"), "--resolve", `${name}:${port}:127.0.0.1`],
      ...["--header", `Origin: https://${name}:${port}`, "--user", "alice@example.com:secret", "--data", "x"],
      ...["--write-out", "%{http_code}", "--output", "/dev/null", `https://${name}:${port}/msg/bob@example.com`],
    ]);
    expect(output).toContain("201");
  });
});

function blockOf(language: Language): CodeBlock {
  const found = blocks.filter((block) => block.language === language);
  const [block] = found;
  if (block === undefined || found.length > 1)
    throw new Error(`docs/server.md has ${found.length} blocks for ${language}.`);
  return block;
}
