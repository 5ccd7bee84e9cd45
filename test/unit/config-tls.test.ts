/** The certificate and the key of the listener, and the warning of a listener that needs them. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { formatProblem } from "../../src/config/problem.ts";
import { type LoadedConfig, loadConfig } from "../../src/config.ts";
import { type Authority, type IssuedCertificate, makeAuthority } from "../support/ca.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
let authority: Authority;
let issued: IssuedCertificate;
beforeAll(async () => {
  folder = await makeTempFolder();
  authority = await makeAuthority();
  issued = await authority.issue({ dnsNames: ["gw.example.com"] });
  const other = await authority.issue({ dnsNames: ["gw.example.com"] });
  const old = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-02-01") };
  const expired = await authority.issue({ dnsNames: ["gw.example.com"], ...old });
  await folder.write("cert.pem", `${issued.certificatePem}${authority.certificatePem}`);
  await folder.write("key.pem", issued.keyPem);
  await folder.write("other.pem", other.keyPem);
  await folder.write("expired.pem", expired.certificatePem);
  await folder.write("expired-key.pem", expired.keyPem);
  await folder.write("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  const locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  await folder.write("locked.pem", locked);
});
afterAll(() => folder.remove());

function load(http: string): Promise<LoadedConfig> {
  return folder.write("post-msg.toml", `[http]\n${http}\n[hosts."example.com"]\n`).then(loadConfig);
}

async function complaints(http: string): Promise<readonly string[]> {
  const loaded = await load(http);
  const list = "problems" in loaded ? loaded.problems : loaded.warnings;
  return list.map((problem) => formatProblem(problem).replace(`${folder.path}/`, ""));
}

test("the certificate comes with those that lead to its root, and paths start at the file's folder", async () => {
  const loaded = await load(`tls_cert = "cert.pem"\ntls_key = "${folder.path}/key.pem"`);
  if ("problems" in loaded) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const { tls } = loaded.config.http;
  expect(tls?.certificates.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(tls?.key).toBe(issued.keyPem);
  expect(loaded.warnings).toEqual([]);
  expect(loaded.fixed.get("[http] tls_cert")).toBe(true);
});

test("two empty paths are plain HTTP", async () => {
  const loaded = await load(`tls_cert = ""\ntls_key = ""`);
  expect("config" in loaded && loaded.config.http.tls).toBe(undefined);
});

const key = "must name a readable file with a PEM private key that has no passphrase";
test.each<[http: string, complaint: string]>([
  [`tls_cert = "cert.pem"`, `2: [http] tls_cert: must stand beside tls_key, got "cert.pem"`],
  [`tls_key = "key.pem"`, `2: [http] tls_key: must stand beside tls_cert, got "key.pem"`],
  [`tls_cert = "cert.pem"\ntls_key = "none.pem"`, `3: [http] tls_key: ${key}; there is no such file, got "none.pem"`],
  [`tls_cert = "cert.pem"\ntls_key = "cert.pem"`, `3: [http] tls_key: ${key}; there is none in it, got "cert.pem"`],
  [`tls_cert = "cert.pem"\ntls_key = "locked.pem"`, `3: [http] tls_key: ${key}; it has a passphrase, got "locked.pem"`],
  [
    `tls_cert = "cert.pem"\ntls_key = "broken.pem"`,
    `3: [http] tls_key: ${key}; the one in it cannot be read, got "broken.pem"`,
  ],
  [
    `tls_cert = "cert.pem"\ntls_key = "other.pem"`,
    `3: [http] tls_key: must be the key of the first certificate in tls_cert, got "other.pem"`,
  ],
  [
    `tls_cert = "key.pem"\ntls_key = "key.pem"`,
    `2: [http] tls_cert: must name a readable file with PEM certificates; there is none in it, got "key.pem"`,
  ],
  [
    `tls_cert = "expired.pem"\ntls_key = "expired-key.pem"`,
    `2: [http] tls_cert: should be renewed: it has been invalid since 2020-02-01T00:00:00.000Z, got "expired.pem"`,
  ],
])("%j: %s", async (http, complaint) => {
  expect(await complaints(http)).toEqual([`post-msg.toml:${complaint}`]);
});

test.each<[http: string, warned: boolean]>([
  [`listen = "192.0.2.1:5280"`, true],
  [`listen = "0.0.0.0:5280"`, true],
  [`listen = "[::]:5280"`, true],
  [`listen = "gw.example.com:5280"`, true],
  [`listen = "127.0.0.1:5280"`, false],
  [`listen = "[::1]:5280"`, false],
  [`listen = "unix:/run/post-msg/http.sock"`, false],
  [`listen = "192.0.2.1:5280"\ntrusted_proxies = ["192.0.2.2"]`, false],
  [`listen = "192.0.2.1:5280"\ntls_cert = "cert.pem"\ntls_key = "key.pem"`, false],
])("%j is warned of, since passwords could be read on the way: %p", async (http, warned) => {
  const told = await complaints(http);
  expect(told).toHaveLength(warned ? 1 : 0);
  if (warned) expect(told[0]).toMatch(/^post-msg\.toml:2: \[http\] listen: should be .* in the clear, got /);
});
