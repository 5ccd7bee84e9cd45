/** Files that are not good as a whole, and all the problems that they have. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { formatProblem } from "../../src/config/problem.ts";
import { sections } from "../../src/config/settings.ts";
import { loadConfig } from "../../src/config.ts";
import { configProblems } from "../support/config-problems.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

const host = `[hosts."example.com"]`;
const listenRule = `must be "host:port", "[::1]:5280" or "unix:/run/post-msg.sock"`;
const connectRule = `must be "xmpp://host:port" (STARTTLS) or "xmpps://host:port" (direct TLS)`;
const membersRule = `must be a list of addresses such as ["alice@example.com", "ops@conference.example.com"]`;
const aliasNameRule = "must be a name of letters, digits and ._- for an alias, without the @";
const noAccounts =
  "is not a setting: every caller sends an account and its password with each request, and none stands in this file";
const httpSettings = Object.keys(sections.http).join(", ");
const loopbackRule = "must stand beside a loopback connect (127.0.0.0/8, [::1] or localhost)";

/** Whole files, and all the problems that they have. */
const files: readonly [what: string, text: string, problems: readonly string[]][] = [
  ["an empty file", "", [`1: [hosts]: must allow at least one domain to log in: [hosts."example.com"], got none`]],
  [
    "no host",
    `[http]\npath = "/x"\n\n`,
    [`2: [hosts]: must allow at least one domain to log in: [hosts."example.com"], got none`],
  ],
  [
    "an unknown key",
    `${host}\n[http]\nlisen = "x"`,
    [`3: [http] lisen: is not a setting; the nearest one is "listen", got "x"`],
  ],
  [
    "an unknown key of a host",
    `${host}\ncafile = "x"`,
    [`2: ${host} cafile: is not a setting; the nearest one is "ca_file", got "x"`],
  ],
  [
    "a setting of another table",
    `${host}\n[http]\nlevel = "info"\nconnect = "x"`,
    [
      `3: [http] level: is not a setting; the nearest one is [log] level, got "info"`,
      `4: [http] connect: is not a setting; the nearest one is [hosts."…"] connect, got "x"`,
    ],
  ],
  [
    "a setting that only later versions have",
    `${host}\n[http]\nallowed_peers = []`,
    [`3: [http] allowed_peers: is not a setting; those of [http] are ${httpSettings}, got []`],
  ],
  [
    "a setting outside its table",
    `listen = "127.0.0.1:1"\n${host}`,
    [
      `1: [listen]: is not a setting outside its table; the nearest one is [http] listen or [metrics] listen, got "127.0.0.1:1"`,
    ],
  ],
  [
    "an unknown table, which is one problem with all that is in it",
    `${host}\n[session]\nidle = "1h"\nmax = 3`,
    [`2: [session]: is not a table of settings; the nearest one is [sessions], got [session]`],
  ],
  [
    "a key of every object",
    `${host}\n[http]\nconstructor = 1`,
    [`3: [http] constructor: is not a setting; those of [http] are ${httpSettings}, got 1`],
  ],
  [
    "a table that is like none",
    `${host}\n[webhooks]\na = 1`,
    [
      "2: [webhooks]: is not a table of settings; there are [http], [sessions], [delivery], [rooms], [throttle], [metrics], [log], [aliases], [hosts], got [webhooks]",
    ],
  ],
  [
    "a setting of a host that is like none",
    `${host}\nresource = "gw"`,
    [
      `2: ${host} resource: is not a setting; those of [hosts."…"] are connect, ca_file, recipients, grace, max_stanza, insecure_plaintext, got "gw"`,
    ],
  ],
  [
    "an account and its password, wherever they are looked for; no password is shown",
    [
      `password = "hunter2"`,
      `credentials = { jid = "alice@example.com", password = "hunter2" }`,
      `[hosts]`,
      `user = "alice"`,
      host,
      `user = "alice"`,
      `jid = "alice@example.com"`,
      `password = "hunter2"`,
      `Secret = ["hunter2"]`,
      `[http]`,
      `pass = hunter2`,
      `"password" = hunter2`,
      `account_password = "hunter2"`,
    ].join("\n"),
    [
      `1: [password]: ${noAccounts}`,
      `2: [credentials]: is not a table of settings; there are [http], [sessions], [delivery], [rooms], [throttle], [metrics], [log], [aliases], [hosts], got { jid = "alice@example.com", password = …`,
      `4: [hosts."user"]: ${noAccounts}, got "alice"`,
      `6: ${host} user: ${noAccounts}, got "alice"`,
      `7: ${host} jid: ${noAccounts}, got "alice@example.com"`,
      `8: ${host} password: ${noAccounts}`,
      `9: ${host} Secret: ${noAccounts}`,
      `11: [http] pass: is not valid TOML (unexpected character; text must stand in quotes)`,
      `12: is not valid TOML (unexpected character; text must stand in quotes), got "password" = …`,
      `13: [http] account_password: is not a setting; those of [http] are ${httpSettings}`,
    ],
  ],
  [
    "a port, which belongs to an address",
    `${host}\nport = 5222\nserver = "xmpp.example.com"\n[http]\nport = 5280\n[metrics]\nport = 9590\n[log]\nport = 1`,
    [
      `2: ${host} port: is not a setting: where the server is, stands in connect = "xmpp://host:port", got 5222`,
      `3: ${host} server: is not a setting: where the server is, stands in connect = "xmpp://host:port", got "xmpp.example.com"`,
      `5: [http] port: is not a setting: address and port stand together in listen = "127.0.0.1:5280", got 5280`,
      `7: [metrics] port: is not a setting: address and port stand together in listen = "127.0.0.1:9590", got 9590`,
      `9: [log] port: is not a setting; those of [log] are level, format, jids, got 1`,
    ],
  ],
  ["a value for a table", `http = 1\n${host}`, ["1: [http]: must be a table: [http], got 1"]],
  ["a value for the hosts", "hosts = 1", [`1: [hosts]: must be a table: [hosts."example.com"], got 1`]],
  ["a value for a host", `[hosts]\n"example.com" = "x"`, [`2: ${host}: must be a table: ${host}, got "x"`]],
  [
    "a table for a value",
    `${host}\n[http.listen]\nport = 1`,
    [`2: [http] listen: ${listenRule}, not a table, got [http.listen]`],
  ],
  [
    "an inline table for a value",
    `${host}\nconnect = { a = 1 }`,
    [`2: ${host} connect: ${connectRule}, not a table, got { a = 1 }`],
  ],
  [
    "a domain without its quotes",
    `[hosts.example.com]\nconnect = "xmpp://localhost"`,
    [`1: [hosts."example"] com: must have the domain in quotes: ${host}, got [hosts.example.com]`],
  ],
  [
    "a domain without its quotes as a key",
    `[hosts]\nexample.com = {}\nexample.org.connect = "xmpp://localhost"\nxmpp.example.net = { connect = "xmpp://localhost" }`,
    [
      `2: [hosts."example"] com: must have the domain in quotes: ${host}, got {}`,
      `4: [hosts."xmpp"] example.net: must have the domain in quotes: [hosts."xmpp.example.net"], got { connect = "xmpp://localhost" }`,
    ],
  ],
  [
    "a domain without its quotes as a key, with a setting behind it",
    `[hosts]\nexample.org.connect = "xmpp://localhost"`,
    [`2: [hosts."example"] org.connect: must have the domain in quotes: [hosts."example.org"], got "xmpp://localhost"`],
  ],
  [
    "a table in a host, or an unknown key behind its quotes",
    `[hosts."example.com".more]\n[hosts]\n"example.org".more = 1\n[hosts.localhost]\nmore = 1`,
    [
      `1: ${host} more: is not a setting; those of [hosts."…"] are connect, ca_file, recipients, grace, max_stanza, insecure_plaintext, got [hosts."example.com".more]`,
      `3: [hosts."example.org"] more: is not a setting; those of [hosts."…"] are connect, ca_file, recipients, grace, max_stanza, insecure_plaintext, got 1`,
      `5: [hosts."localhost"] more: is not a setting; those of [hosts."…"] are connect, ca_file, recipients, grace, max_stanza, insecure_plaintext, got 1`,
    ],
  ],
  [
    "a host that is an address",
    `[hosts."bob@example.com"]`,
    [
      `1: [hosts."bob@example.com"]: must be a domain such as "example.com", without a user or a resource, got [hosts."bob@example.com"]`,
    ],
  ],
  [
    "two names of one domain",
    `${host}\n[hosts."EXAMPLE.com"]`,
    [`2: [hosts."EXAMPLE.com"]: must not be the domain of ${host} in line 1 again, got [hosts."EXAMPLE.com"]`],
  ],
  [
    "plaintext to a server that is not on this machine",
    `${host}\nconnect = "xmpp://192.0.2.1"\ninsecure_plaintext = true`,
    [`3: ${host} insecure_plaintext: ${loopbackRule}, got true`],
  ],
  [
    "plaintext to a name that only looks like loopback",
    `${host}\nconnect = "xmpp://127.0.0.1.example.com"\ninsecure_plaintext = true`,
    [`3: ${host} insecure_plaintext: ${loopbackRule}, got true`],
  ],
  [
    "plaintext beside a connect that cannot be read, which is one mistake",
    `${host}\nconnect = "127.0.0.1"\ninsecure_plaintext = true`,
    [`2: ${host} connect: ${connectRule}, got "127.0.0.1"`],
  ],
  [
    "a key twice, each with its own mistake",
    `${host}\n[sessions]\nmax = "a"\nmax = "b"`,
    [
      `3: [sessions] max: must be a whole number from 1 to 100000, got "a"`,
      `4: [sessions] max: must stand only once, is in line 3 already, got "b"`,
      `4: [sessions] max: must be a whole number from 1 to 100000, got "b"`,
    ],
  ],
  ["a table twice", `${host}\n[log]\n[log]`, ["3: [log]: must stand only once, is in line 2 already, got [log]"]],
  [
    "aliases whose members cannot be written to",
    [
      host,
      "[aliases]",
      `nobody = []`,
      `one = "bob@example.com"`,
      `nested = ["bob@example.com", "@one"]`,
      `domain = ["example.com"]`,
      `broken = ["a@b@c"]`,
    ].join("\n"),
    [
      `3: [aliases] nobody: ${membersRule}, got []`,
      `4: [aliases] one: ${membersRule}, got "bob@example.com"`,
      `5: [aliases] nested: ${membersRule}; "@one" is an alias, and aliases cannot be nested, got ["bob@example.com", "@one"]`,
      `6: [aliases] domain: ${membersRule}; "example.com" names no user or room, got ["example.com"]`,
      `7: [aliases] broken: ${membersRule}; "a@b@c" is none: its domain holds a second U+0040 (@), got ["a@b@c"]`,
    ],
  ],
  [
    "names that cannot be those of aliases",
    `${host}\n[aliases]\n"@one" = ["bob@example.com"]\n"a b" = ["bob@example.com"]\n[aliases.two]\nx = 1`,
    [
      `3: [aliases] @one: ${aliasNameRule}, got ["bob@example.com"]`,
      `4: [aliases] a b: ${aliasNameRule}, got ["bob@example.com"]`,
      `5: [aliases] two: must be a list, not a table, got [aliases.two]`,
    ],
  ],
  ["a value for the aliases", `aliases = 1\n${host}`, ["1: [aliases]: must be a table: [aliases], got 1"]],
  ["a list of tables", `[[hosts]]\na = 1`, ["1: [hosts]: must be one table, not a list of tables, got [[hosts]]"]],
  [
    "a table opened in two ways",
    `http.path = "/x"\n[http]\nmax_body = "1KiB"\n${host}`,
    ["2: is not valid TOML (defining a key multiple times is invalid), got [http]"],
  ],
];

test.each(files)("%s", async (_, text, problems) => {
  expect(await configProblems(folder, text)).toEqual(problems.map((problem) => `post-msg.toml:${problem}`));
});

test("five different mistakes, a syntax error among them, are all reported with their lines", async () => {
  const text = `# five mistakes
[http]
listen = "127.0.0.1"
path = /msg
max_bdy = "64KiB"

[sessions]
max = "many"

[hosts."example.com"]
recipients = ["*"]
insecure_plaintext = true
`;
  expect(await configProblems(folder, text)).toEqual([
    `post-msg.toml:3: [http] listen: ${listenRule}; the port is missing, got "127.0.0.1"`,
    "post-msg.toml:4: [http] path: is not valid TOML (unexpected character; text must stand in quotes), got path = /msg",
    `post-msg.toml:5: [http] max_bdy: is not a setting; the nearest one is "max_body", got "64KiB"`,
    `post-msg.toml:8: [sessions] max: must be a whole number from 1 to 100000, got "many"`,
    `post-msg.toml:12: ${host} insecure_plaintext: ${loopbackRule}, got true`,
  ]);
});

test("a file that is missing, a folder, or not UTF-8 is one problem", async () => {
  const of = async (path: string) => {
    const loaded = await loadConfig(path);
    return "problems" in loaded ? loaded.problems.map(formatProblem) : [];
  };
  const missing = `${folder.path}/missing.toml`;
  expect(await of(missing)).toEqual([`${missing}: must be a readable configuration file; there is no such file`]);
  expect(await of(folder.path)).toEqual([`${folder.path}: must be a readable configuration file; it is a directory`]);
  expect(await configProblems(folder, new Uint8Array([0x5b, 0xff]))).toEqual([
    "post-msg.toml: must be a readable configuration file; it is not UTF-8",
  ]);
});

test("a value is shown on one printable line, cut, and without a password in a URI", async () => {
  const [long, hidden] = await configProblems(
    folder,
    `${host}\nca_file = """a\n\u{9b}31m${"x".repeat(200)}"""\nconnect = "http://user:secret@localhost"`,
  );
  expect(long).toMatch(/^post-msg\.toml:2: .*, got """a \\u\{9b\}31mx{64,}…$/);
  expect(hidden).toEndWith(`got "http://…@localhost"`);
});
