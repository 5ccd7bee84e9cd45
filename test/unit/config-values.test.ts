/** Values that a setting does not take: each is refused with the rule, the line, the key and what was received. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { makeAuthority } from "../support/ca.ts";
import { configProblems } from "../support/config-problems.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
  await mkdir(`${folder.path}/folder`);
  const { certificatePem } = await makeAuthority();
  await folder.write("none.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  await folder.write("half.pem", `${certificatePem}${certificatePem.replace(/\n.{20}/, "\nAAAA")}`);
});
afterAll(() => folder.remove());

const host = `[hosts."example.com"]`;
const listenRule = `must be "host:port", "[::1]:5280" or "unix:/run/post-msg.sock"`;
const hugePort = "; a port is at most 65535";
const proxyRule = `must be a list of addresses and networks such as "127.0.0.1" or "10.0.0.0/8"`;
const modeRule = `must be permissions in octal, in quotes, such as "0660", that let the owner read and write`;
const originRule = `must be a list of origins such as "https://status.example.com"; "*" would let every web page in`;
const pathRule = `must begin with "/" and end without one, such as "/msg", of letters, digits and ._~-`;
const connectRule = `must be "xmpp://host:port" (STARTTLS) or "xmpps://host:port" (direct TLS)`;
const recipientsRule = `must be a list such as ["*"], ["bob@example.com", "*@example.com", "*.example.org"]`;
const caFileRule = "must name a readable file with PEM certificates";
const sizeRule = `must be a size such as "64KiB"`;
const durationRule = `must be a duration such as "10s", "15m" or "1h"`;
const loopbackRule = "must stand beside a loopback connect (127.0.0.0/8, [::1] or localhost)";

/** A setting, values that it does not take, and the rule that is named. */
const values: readonly [section: string, key: string, rule: string, written: readonly string[]][] = [
  [
    "[http]",
    "listen",
    listenRule,
    [
      `"127.0.0.300:80"`,
      `"[::g]:80"`,
      `"a b:80"`,
      `"127.0.0.1:https"`,
      `"127.0.0.1:-1"`,
      `""`,
      "5280",
      "true",
      `["127.0.0.1:80"]`,
    ],
  ],
  ["[http]", "listen", `${listenRule}; the port is missing`, [`"127.0.0.1"`, `"localhost"`, `"127.0.0.1:"`, `"5280"`]],
  ["[http]", "listen", `${listenRule}; on all addresses it is "0.0.0.0:80" or "[::]:80"`, [`":80"`, `"*:80"`]],
  ["[http]", "listen", `${listenRule}${hugePort}`, [`"127.0.0.1:65536"`, `"127.0.0.1:123456"`, `"[::1]:99999"`]],
  ["[http]", "listen", `${listenRule}; an IPv6 address stands in brackets`, [`"::1:80"`, `"2001:db8::1:80"`]],
  ["[http]", "listen", `${listenRule}; it is no URL`, [`"http://localhost:80"`]],
  ["[http]", "listen", `${listenRule}; a socket is "unix:" and its path`, [`"/run/post-msg.sock"`]],
  ["[http]", "trusted_proxies", `${proxyRule}; "localhost" is none`, [`["127.0.0.1", "localhost"]`]],
  ["[http]", "trusted_proxies", `${proxyRule}; "10.0.0.0/33" is none`, [`["10.0.0.0/33"]`]],
  ["[metrics]", "listen", "must not be where [http] listen is", [`"127.0.0.1:5280"`, `"0.0.0.0:5280"`]],
  [
    "[http]",
    "listen",
    `${listenRule}; a socket's path begins with "/"`,
    [`"unix:http.sock"`, `"unix:"`, `"unix:/run/"`],
  ],
  ["[http]", "socket_mode", modeRule, [`"rw"`, `"0440"`, `"0888"`, `"1660"`, `"60"`, `""`, "0o660", "660", "true"]],
  ["[http]", "reuse_port", "must be true or false", [`"yes"`, "1"]],
  ["[http]", "allowed_origins", originRule, [`"https://a.example"`, "[1]"]],
  ["[http]", "allowed_origins", `${originRule}; "*" is none`, [`["*"]`]],
  [
    "[http]",
    "allowed_origins",
    `${originRule}; "ftp://a.example" is none`,
    [`["https://a.example", "ftp://a.example"]`],
  ],
  ["[http]", "allowed_origins", `${originRule}; a browser writes "https://a.example"`, [`["https://a.example/"]`]],
  ["[http]", "allowed_origins", `${originRule}; a browser writes "https://a.example"`, [`["https://A.example:443"]`]],
  ["[http]", "max_in_flight", "must be a whole number from 1 to 1000000", ["0", "1.5", `"9"`, "1000001"]],
  [
    "[http]",
    "path",
    pathRule,
    [`""`, `"/"`, `"msg"`, `"/msg/"`, `"//msg"`, `"/a b"`, `"/:id"`, `"/*"`, `"/a%2fb"`, `"/../x"`, `"/a/."`, "1"],
  ],
  ["[http]", "path", `must not be "/rest", which has its own use`, [`"/rest"`, `"/rest/x"`]],
  ["[http]", "path", `must not be "/health", which has its own use`, [`"/health"`]],
  ["[http]", "path", `must not be "/docs", which has its own use`, [`"/docs/a/b"`]],
  [
    "[http]",
    "max_body",
    sizeRule,
    [`"lots"`, `"64"`, `"64KB"`, `"64 KiB"`, `"-1KiB"`, `"1.5KiB"`, "65536", `"64constructor"`],
  ],
  ["[http]", "max_body", `must be from "1KiB" to "256KiB"`, [`"1023B"`, `"257KiB"`, `"1MiB"`]],
  ["[http]", "forbidden_characters", `must be "refuse" or "replace"`, [`"Refuse"`, "true"]],
  ["[sessions]", "idle", durationRule, [`"soon"`, `"15"`, "15", `"1d"`, `"1h30m"`, "07:32:00"]],
  ["[sessions]", "idle", `must be from "1s" to "24h"`, [`"999ms"`, `"25h"`]],
  ["[sessions]", "max", "must be a whole number from 1 to 100000", ["0", "1.5", `"10"`, "100001", "-1", "inf"]],
  ["[sessions]", "login_timeout", `must be from "100ms" to "60s"`, [`"99ms"`, `"61s"`, `"0s"`]],
  ["[delivery]", "ack_timeout", `must be from "100ms" to "60s"`, [`"99ms"`, `"2m"`]],
  ["[log]", "level", `must be "debug", "info", "warn" or "error"`, [`"trace"`, `"INFO"`, "3"]],
  ["[log]", "format", `must be "auto", "json" or "pretty"`, [`"text"`]],
  [
    host,
    "connect",
    connectRule,
    [
      `"192.0.2.7:5222"`,
      `"http://192.0.2.7"`,
      `"xmpp://"`,
      `"xmpp://a:0"`,
      `"xmpp://::1"`,
      `"xmpp://a/b"`,
      `"xmpp://127.1"`,
      "1",
    ],
  ],
  [host, "connect", `${connectRule}${hugePort}`, [`"xmpp://a:65536"`, `"xmpps://[::1]:522222"`]],
  [host, "ca_file", "must be the path of a file with PEM certificates", [`""`, "1"]],
  [host, "ca_file", `${caFileRule}; there is no such file`, [`"nope.pem"`, `"none.pem/x"`]],
  [host, "ca_file", `${caFileRule}; it is a directory`, [`"folder"`]],
  [host, "ca_file", `${caFileRule}; there is none in it`, [`"none.pem"`]],
  [host, "ca_file", `${caFileRule}; certificate 2 in it cannot be read`, [`"half.pem"`]],
  [host, "recipients", recipientsRule, [`"*"`, "[]", "[1]", `["*", 1]`]],
  [
    host,
    "recipients",
    `${recipientsRule}; "a@b.example/c" is none: it has a resource, which does not matter here`,
    [`["a@b.example/c"]`],
  ],
  [
    host,
    "recipients",
    `${recipientsRule}; "*@a@b.example" is none: a domain alone must follow the star`,
    [`["*@a@b.example"]`],
  ],
  [host, "insecure_plaintext", "must be true or false", [`"yes"`, "1"]],
  [host, "insecure_plaintext", loopbackRule, ["true"]],
];

const cases = values.flatMap(([section, key, rule, written]) =>
  written.map((value) => [`${section} ${key}`, value, section, key, rule] as const),
);

test.each(cases)("%s = %s is refused with its rule", async (name, value, section, key, rule) => {
  const text = section === host ? `${host}\n${key} = ${value}` : `${host}\n${section}\n${key} = ${value}`;
  const line = section === host ? 2 : 3;
  expect(await configProblems(folder, text)).toEqual([`post-msg.toml:${line}: ${name}: ${rule}, got ${value}`]);
});

test("a socket path that is too long for the system is refused", async () => {
  const [problem] = await configProblems(folder, `${host}\n[http]\nlisten = "unix:/${"x".repeat(107)}"`);
  expect(problem).toStartWith("post-msg.toml:3: [http] listen: must name a socket path of at most 107 bytes, got");
});
