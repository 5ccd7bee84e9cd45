/** Files that are good: what they mean. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatProblem } from "../../src/config/problem.ts";
import { hostSettings, type Settings, sections } from "../../src/config/settings.ts";
import { type Config, loadConfig, mayReceive } from "../../src/config.ts";
import { parseJid } from "../../src/jid.ts";
import { makeAuthority } from "../support/ca.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

const aHost = `[hosts."example.com"]`;

async function load(text: string): Promise<{ config: Config; warnings: string[] }> {
  const loaded = await loadConfig(await folder.write("post-msg.toml", text));
  if ("problems" in loaded) throw new Error(loaded.problems.map(formatProblem).join("\n"));
  return { config: loaded.config, warnings: loaded.warnings.map(formatProblem) };
}

async function loadHost(settings: string) {
  const { config, warnings } = await load(`${aHost}\n${settings}`);
  const host = config.hosts.get("example.com");
  if (host === undefined) throw new Error("The host is missing.");
  return { host, warnings };
}

function jid(text: string) {
  const parsed = parseJid(text);
  if ("problem" in parsed) throw new Error(parsed.problem);
  return parsed.jid;
}

test("one host alone is a whole configuration, and the rest has its defaults", async () => {
  const { config, warnings } = await load(aHost);
  expect(warnings).toEqual([]);
  expect(config).toEqual({
    http: {
      listen: { hostname: "127.0.0.1", port: 5280 },
      tls: undefined,
      socketMode: 0o660,
      reusePort: false,
      path: "/msg",
      rest: true,
      maxBodyBytes: 65_536,
      maxInFlight: 1000,
      forbiddenCharacters: "refuse",
      waitMaxMs: 60_000,
      maxRecipients: 100,
      trustedProxies: [],
      allowedOrigins: [],
    },
    sessions: {
      idleMs: 900_000,
      max: 1000,
      loginTimeoutMs: 15_000,
      loginConcurrency: 32,
      verifyMs: 300_000,
      keepaliveMs: 60_000,
    },
    throttle: {
      rememberFailureMs: 300_000,
      failureDelayMs: 300,
      addressPerMinute: 10,
      addressPerDay: 50,
      accountPerHour: 100,
      serverFailures: 8,
      serverFailuresBurst: 4,
    },
    delivery: { ackTimeoutMs: 5_000, maxPending: 10_000, maxPendingBytes: 8_388_608 },
    metrics: { listen: undefined },
    log: { level: "info", format: "auto", jids: false },
    rooms: { idleMs: 3_600_000 },
    aliases: new Map(),
    hosts: new Map([
      [
        "example.com",
        {
          domain: "example.com",
          connect: undefined,
          caCertificates: [],
          recipients: [{ kind: "anybody" }],
          grace: "auto",
          maxStanzaBytes: 262_144,
          insecurePlaintext: false,
        },
      ],
    ]),
  });
});

test("every setting is taken from the file", async () => {
  const { config } = await load(`
    [http]
    listen = "[::1]:0"
    socket_mode = "0600"
    reuse_port = true
    path = "/gateway/msg"
    rest = false
    max_body = "256KiB"
    max_in_flight = 9
    forbidden_characters = "replace"
    wait_max = "5m"
    max_recipients = 7
    trusted_proxies = ["127.0.0.1", "2001:db8::/32"]
    allowed_origins = ["https://status.example.com", "http://localhost:8080"]
    [sessions]
    idle = "1h"
    max = 5
    login_timeout = "500ms"
    login_concurrency = 3
    verify = "1m"
    keepalive = "30s"
    [rooms]
    idle = "5m"
    [aliases]
    oncall = ["Alice@example.com", "ops@conference.example.com/desk"]
    [throttle]
    remember_failure = "1m"
    failure_delay = "0s"
    address_per_minute = 1
    address_per_day = 2
    account_per_hour = 3
    server_failures = 4
    server_failures_burst = 5
    [delivery]
    ack_timeout = "1s"
    max_pending = 7
    max_pending_bytes = "1MiB"
    [log]
    level = "debug"
    format = "json"
    jids = true
    [metrics]
    listen = "127.0.0.1:9590"
    [hosts."Example.COM"]
    connect = "xmpps://[::1]"
    recipients = ["bob@example.com"]
    grace = "25ms"
    max_stanza = "64KiB"`);
  expect(config.http).toEqual({
    listen: { hostname: "::1", port: 0 },
    tls: undefined,
    socketMode: 0o600,
    reusePort: true,
    path: "/gateway/msg",
    rest: false,
    maxBodyBytes: 262_144,
    maxInFlight: 9,
    forbiddenCharacters: "replace",
    waitMaxMs: 300_000,
    maxRecipients: 7,
    trustedProxies: [
      { address: "127.0.0.1", prefixBits: 32, family: "ipv4" },
      { address: "2001:db8::", prefixBits: 32, family: "ipv6" },
    ],
    allowedOrigins: ["https://status.example.com", "http://localhost:8080"],
  });
  expect(config.sessions).toEqual({
    idleMs: 3_600_000,
    max: 5,
    loginTimeoutMs: 500,
    loginConcurrency: 3,
    verifyMs: 60_000,
    keepaliveMs: 30_000,
  });
  expect(config.rooms).toEqual({ idleMs: 300_000 });
  expect(config.aliases).toEqual(
    new Map([["oncall", [jid("alice@example.com"), jid("ops@conference.example.com/desk")]]]),
  );
  expect(config.throttle).toEqual({
    rememberFailureMs: 60_000,
    failureDelayMs: 0,
    addressPerMinute: 1,
    addressPerDay: 2,
    accountPerHour: 3,
    serverFailures: 4,
    serverFailuresBurst: 5,
  });
  expect(config.delivery).toEqual({ ackTimeoutMs: 1_000, maxPending: 7, maxPendingBytes: 1_048_576 });
  expect(config.metrics).toEqual({ listen: { hostname: "127.0.0.1", port: 9590 } });
  expect(config.log).toEqual({ level: "debug", format: "json", jids: true });
  expect(config.hosts.get("example.com")).toMatchObject({
    domain: "example.com",
    connect: { tls: "direct", hostname: "::1", port: 5223 },
    recipients: [{ kind: "address", bare: "bob@example.com" }],
    grace: 25,
    maxStanzaBytes: 65_536,
  });
});

test.each([
  ['[http]\nlisten = "localhost:80"', { hostname: "localhost", port: 80 }],
  ['[http]\nlisten = "0.0.0.0:65535"', { hostname: "0.0.0.0", port: 65_535 }],
  ['[http]\nlisten = "unix:/run/post-msg/http.sock"', { unixPath: "/run/post-msg/http.sock" }],
  ['http.listen = "127.0.0.1:1"', { hostname: "127.0.0.1", port: 1 }],
  ["http = { listen = '127.0.0.1:2' }", { hostname: "127.0.0.1", port: 2 }],
])("%j is where to listen", async (text, listen) => {
  expect((await load(`${text}\n${aHost}`)).config.http.listen).toEqual(listen);
});

test.each([
  ["xmpp://192.0.2.7:5222", { tls: "starttls", hostname: "192.0.2.7", port: 5222 }],
  ["xmpp://Xmpp.Example.com", { tls: "starttls", hostname: "xmpp.example.com", port: 5222 }],
  ["xmpps://xmpp.example.com", { tls: "direct", hostname: "xmpp.example.com", port: 5223 }],
  ["XMPPS://[2001:DB8::1]:443", { tls: "direct", hostname: "2001:db8::1", port: 443 }],
] as const)("connect = %j", async (written, connect) => {
  expect((await loadHost(`connect = "${written}"`)).host.connect).toEqual(connect);
});

test("a file with a byte order mark, CRLF line ends, comments and arrays over several lines is read", async () => {
  const text = `\u{FEFF}# hello\r\n${aHost} # the only one\r\nrecipients = [ # who\r\n  "a@example.com",\r\n  "b@example.com",\r\n]\r\n`;
  expect((await load(text)).config.hosts.get("example.com")?.recipients).toHaveLength(2);
});

describe("ca_file", () => {
  test("brings its certificates, and a relative path starts at the configuration's folder", async () => {
    const [one, two] = await Promise.all([makeAuthority("One"), makeAuthority("Two")]);
    await folder.write("both.pem", `a comment\n${one.certificatePem}\n${two.certificatePem}`);
    const { host } = await loadHost(`ca_file = "both.pem"`);
    expect(host.caCertificates.map((pem) => pem.trim())).toEqual([
      one.certificatePem.trim(),
      two.certificatePem.trim(),
    ]);
  });
});

test.each(["127.0.0.1", "127.9.8.7", "[::1]", "[0:0:0:0:0:0:0:1]", "localhost"])(
  "insecure_plaintext may stand beside a connect to %s",
  async (address) => {
    const { host, warnings } = await loadHost(`connect = "xmpp://${address}"\ninsecure_plaintext = true`);
    expect(host.insecurePlaintext).toBe(true);
    expect(warnings).toEqual([]);
  },
);

test("what is allowed but unwise is a warning with its line", async () => {
  const { warnings } = await load(`[sessions]\nidle = "659s"\n${aHost}`);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toEndWith(
    `post-msg.toml:2: [sessions] idle: should be at least "11m", since late bounces will be missed: servers report some only then, got "659s"`,
  );
  const alias = `[aliases]\noncall = ["bob@example.com", "eve@example.org"]`;
  const closed = await load(`${aHost}\nrecipients = ["*@example.com"]\n${alias}`);
  expect(closed.warnings).toHaveLength(1);
  expect(closed.warnings[0]).toInclude(
    `[aliases] oncall: should hold nobody whom no host's recipients allow, such as "eve@example.org"`,
  );
  expect((await load(`[sessions]\nidle = "660s"\n${aHost}`)).warnings).toEqual([]);
  const direct = await loadHost(`connect = "xmpps://localhost"\ninsecure_plaintext = true`);
  expect(direct.warnings[0]).toContain(':3: [hosts."example.com"] insecure_plaintext: has no effect');
});

const receivers: readonly [patterns: string[], allowed: string[], refused: string[]][] = [
  [["*"], ["bob@example.com", "example.org", "a@b.example/c"], []],
  [["bob@example.com"], ["bob@example.com", "BOB@example.com/phone"], ["bobby@example.com", "example.com"]],
  [["example.org"], ["example.org", "example.org/x"], ["a@example.org", "sub.example.org"]],
  [["*@example.com"], ["a@example.com", "a@example.com/x"], ["example.com", "a@sub.example.com", "a@notexample.com"]],
  [["*.example.org"], ["a.example.org", "room@b.a.example.org/x"], ["example.org", "a@example.org", "notexample.org"]],
  [["*@Example.com", "carol@example.net"], ["a@example.com", "carol@example.net"], ["dave@example.net"]],
];

describe.each(receivers)("recipients = %j", (patterns, allowed, refused) => {
  test.each([
    ["allow", allowed, true],
    ["refuse", refused, false],
  ] as const)("%s %j", async (_, addresses, expected) => {
    const { host } = await loadHost(`recipients = ${JSON.stringify(patterns)}`);
    for (const address of addresses) expect([address, mayReceive(host, jid(address))]).toEqual([address, expected]);
  });
});

test("every setting in the schema has a help line, and a default that its own rule takes", () => {
  const groups: readonly Settings[] = [...Object.values(sections), hostSettings];
  for (const [key, setting] of groups.flatMap((group) => Object.entries(group))) {
    expect([key, setting.help.length > 20 && setting.help.endsWith(".")]).toEqual([key, true]);
    const shown = setting.default ?? setting.example;
    expect([key, "value" in setting.type.read(shown)]).toEqual([key, true]);
  }
});
