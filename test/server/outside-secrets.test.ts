/**
 * Passwords and texts, planted in every input and hunted for in all that the real program says: its streams at every
 * level, its answers, its metrics, its command line and environment.
 */

import { afterAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { type Binary, startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { readMetrics } from "../support/metrics.ts";
import { startPeer } from "../support/peer/peer.ts";
import { streamError } from "../support/peer/replies.ts";
import { makeRandom } from "../support/soak.ts";
import { childOf, textOf } from "../support/xml-element.ts";

const random = makeRandom("secrets");
const secrets = new Map<string, string>();
/** The caller gets these back in a sentence that names what was wrong, and nobody else does. */
const quotedToCaller = new Set<string>();

/** A new one each time, not like anything else, with what escaping would change; `where` is for the report. */
function plant(where: string, quoted?: "quoted"): string {
  const secret = `s3Cr3t ${random.integer(0, 2 ** 31).toString(36)}&ü<${random.integer(0, 2 ** 31).toString(36)}>`;
  secrets.set(secret, where);
  if (quoted !== undefined) quotedToCaller.add(secret);
  return secret;
}

/** One that could be a part of an address, as where somebody swaps user and password. */
function plantWord(where: string, quoted?: "quoted"): string {
  const secret = `s3cr3t${random.integer(2 ** 30, 2 ** 31).toString(36)}`;
  secrets.set(secret, where);
  if (quoted !== undefined) quotedToCaller.add(secret);
  return secret;
}

/** However it is written: a part of it, too, as long as it is long enough not to be there by chance. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  // Base64 depends on what stands before: the text is looked for at each of three positions, without its ends.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  const hex = bytes.toString("hex");
  const core = /s3[Cc]r3t ?\w+/.exec(secret)?.[0] ?? secret;
  return [core, core.replaceAll(" ", "+"), encodeURIComponent(core), ...base64, hex, hex.toUpperCase()];
}

function hunt(text: string, except: ReadonlySet<string> = new Set()): readonly string[] {
  return [...secrets].flatMap(([secret, where]) =>
    !except.has(secret) && spellings(secret).some((spelling) => text.includes(spelling)) ? [where] : [],
  );
}

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString();

function multipart(fields: Readonly<Record<string, string | File>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

type Input = readonly [user: string, body: string | FormData, headers?: Record<string, string>, path?: string];

const right = "alice@example.com:secret-of-alice-that-is-right";
const json = { "Content-Type": "application/json" };
const urlencoded = { "Content-Type": "application/x-www-form-urlencoded" };
const xml = { "Content-Type": "application/xmpp+xml" };

/** What whoever may see whole addresses sees: nobody but at level debug. */
function addresses(): readonly Input[] {
  return [
    [`${plantWord("a password as the user-id")}:alice@example.com`, "x"],
    [`alice@${plantWord("a part of a password as the domain", "quoted")}:x`, "x"],
    [right, "x", {}, `/msg/${plantWord("a word as the recipient", "quoted")}`],
    [right, "x", {}, `/msg/bob@example.com/${plantWord("a word as the resource", "quoted")}`],
    [
      right,
      JSON.stringify({ to: `${plantWord("a word in the body as the recipient", "quoted")}@example.com`, body: "x" }),
      json,
      "/msg/",
    ],
  ];
}

/** In the order in which they are sent. */
function inputs(): readonly Input[] {
  const wrong = `alice@example.com:${plant("a wrong password")}`;
  return [
    [right, plant("a text")],
    [right, `bounce ${plant("a text that is refused")}`],
    [right, `break ${plant("a text over which the stream ends")}`],
    [wrong, plant("a text with a wrong password")],
    [wrong, "the same again, from memory"],
    [`${plant("a user-id")}:x`, "x"],
    [`alice@${plant("a domain")}:x`, "x"],
    [`alice@example.net:${plant("a password for a foreign domain")}`, "x"],
    [plant("credentials without a colon"), "x"],
    [`alice@example.com:${plant("a password with a control character")}\u0007`, "x"],
    [
      right,
      JSON.stringify({ body: plant("a JSON text"), html: `<b>${plant("html").replace(/[&<>]/g, "")}</b>` }),
      json,
    ],
    [right, JSON.stringify({ body: { en: plant("a text by language") }, subject: plant("a subject") }), json],
    [right, JSON.stringify({ payload: { datatype: "urn:x", data: { deep: [plant("a payload")] } } }), json],
    [right, JSON.stringify({ invite: { jid: "room@example.com", password: plant("a room's password") } }), json],
    [
      right,
      JSON.stringify({ oob: { url: "https://example.com/", desc: plant("a description") }, nick: plant("nick") }),
      json,
    ],
    [right, JSON.stringify({ thread: plant("a thread"), reply: { id: plant("a reply's id") }, body: "x" }), json],
    [right, `{"body": "${plant("broken JSON")}`, json],
    [
      right,
      JSON.stringify({ body: "x", [plant("an unknown name", "quoted")]: plant("an unknown name's value") }),
      json,
    ],
    [right, JSON.stringify({ body: [plant("a list in place of a text")] }), json],
    [right, JSON.stringify({ body: "x", type: plant("a type", "quoted") }), json],
    [right, JSON.stringify({ body: "x", to: plant("a recipient in the body", "quoted") }), json],
    [right, JSON.stringify({ body: "x", from: plant("a sender", "quoted") }), json],
    [right, form({ body: plant("a form's text"), to: "bob@example.com" }), urlencoded, "/msg/"],
    [right, `body=CPU & ${plant("a form's text with &", "quoted")}`, urlencoded],
    [right, `${plant("a form that is a text")}`, urlencoded],
    [right, multipart({ body: plant("a part"), to: "bob@example.com" }), {}, "/msg/"],
    [right, multipart({ body: new File([plant("a file")], "secret.txt") })],
    [right, `--x\r\n${plant("a broken part")}`, { "Content-Type": "multipart/form-data; boundary=x" }],
    [right, `<message><body>${plant("a stanza").replace(/[&<>]/g, "")}</body></message>`, xml, "/rest"],
    [right, `<message><body>${plant("a broken stanza").replace(/[&<>]/g, "")}`, xml, "/rest/message/chat/bob"],
    [right, `\u0007${plant("a text with a forbidden character")}`],
    [right, JSON.stringify({ html: `<b>${plant("broken html")}` }), json],
    [
      right,
      "x",
      {
        Cookie: plant("a cookie").replace(/[^ -~]/g, ""),
        Referer: `http://x/?${encodeURIComponent(plant("a referer"))}`,
      },
    ],
    [right, "x", { "X-Api-Key": encodeURIComponent(plant("another header")) }],
    [right, "x", { "Content-Type": encodeURIComponent(plant("a content type", "quoted")) }],
    [right, "x", { "Content-Encoding": encodeURIComponent(plant("a content encoding", "quoted")) }],
    [right, "x", { "X-Request-Id": plant("a request id").replace(/[^ -~]/g, "") }],
    [right, "x", { "X-Forwarded-For": encodeURIComponent(plant("a forwarded address")) }],
    [right, "x", { Origin: `http://${encodeURIComponent(plant("an origin"))}` }],
    [right, "x", {}, `/msg/bob?token=${encodeURIComponent(plant("a query"))}`],
    [right, "x", {}, `/msg/${encodeURIComponent(plant("a recipient in the path", "quoted"))}`],
    [right, "x", {}, `/nowhere/${encodeURIComponent(plant("a path", "quoted"))}`],
  ];
}

const found: string[] = [];
let told = 0;
let sentOut = 0;

async function run(level: string, format: string): Promise<void> {
  secrets.set("secret-of-alice-that-is-right", "the right password");
  await using stack = new AsyncDisposableStack();
  let breaks = 0;
  const peer = await startPeer({
    accounts: { "alice@example.com": "secret-of-alice-that-is-right" },
    mechanisms: ["PLAIN"],
    bounce: ({ body }) =>
      body.startsWith("bounce") ? { when: "before-ack", condition: "not-acceptable", text: `No: ${body}` } : undefined,
    onStanza: (stanza, connection) => {
      const body = childOf(stanza, "body");
      if (body === undefined || !textOf(body).startsWith("break") || breaks++ > 0) return false;
      connection.deliver(`${streamError("internal-server-error")}</stream:stream>`);
      return true;
    },
  });
  stack.defer(peer.stop);
  const gateway: Binary = await startBinary({
    hosts: hostOf(peer, { grace: "0s" }),
    settings: {
      log: { level, format },
      metrics: { listen: "127.0.0.1:0" },
      http: { trusted_proxies: ["127.0.0.0/8"] },
      throttle: {
        failure_delay: "0s",
        address_per_minute: 1_000,
        server_failures: 1_000,
        server_failures_burst: 1_000,
      },
    },
  });
  stack.defer(() => gateway.process.terminate(26_000));
  const note = (where: string, hits: readonly string[]) => void found.push(...hits.map((hit) => `${hit}: in ${where}`));
  const { origin, port } = new URL(gateway.url);
  for (const [user, body, headers = {}, path = "/msg/bob@example.com"] of [
    ...inputs(),
    ...(level === "debug" ? [] : addresses()),
  ]) {
    const type = body instanceof FormData ? {} : { "Content-Type": "text/plain; charset=utf-8" };
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { Authorization: `Basic ${Buffer.from(user).toString("base64")}`, ...type, ...headers },
      body,
    });
    const reply = `${await response.text()} ${JSON.stringify([...response.headers])}`;
    told += response.status >= 400 ? 1 : 0;
    sentOut += response.status < 300 ? 1 : 0;
    note(`the answer ${response.status}`, hunt(reply, quotedToCaller));
  }
  await hangUp(Number(port), plant("a text that its caller gave up"));
  await fetch(`${origin}/nowhere`, { method: "POST", body: plant("a body for nobody") });
  if (format === "json" && level !== "warn" && level !== "error") {
    note("the metrics", hunt((await readMetrics(gateway)).text));
  }
  for (const file of ["cmdline", "environ"]) {
    note(`its ${file}`, hunt(await readFile(`/proc/${gateway.process.pid}/${file}`, "latin1")));
  }
  await gateway.process.terminate(26_000);
  expect(await gateway.process.exited).toBe(0);
  const output = gateway.process.output();
  if (level === "debug" || level === "info") expect(output.split("request refused").length).toBeGreaterThan(15);
  note(`its streams at level ${level}, ${format}`, hunt(output));
}

/** A caller who goes away in the middle of a body. */
async function hangUp(port: number, text: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const authorization = `Authorization: Basic ${Buffer.from(right).toString("base64")}`;
  const head = ["POST /msg/bob HTTP/1.1", "Host: gw", authorization, "Content-Type: text/plain", "Content-Length: 900"];
  socket.on("error", () => {});
  socket.write(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.resetAndDestroy());
  await closed;
}

describe("secrets", () => {
  afterAll(() => secrets.clear());

  test.each([
    ["debug", "json"],
    ["info", "json"],
    ["debug", "pretty"],
    ["info", "pretty"],
    ["warn", "json"],
    ["error", "json"],
  ])(
    "planted in every input are nowhere in what the program says, at level %s, as %s",
    async (level, format) => {
      found.length = 0;
      told = 0;
      sentOut = 0;
      await run(level, format);
      expect(found).toEqual([]);
      expect(told).toBeGreaterThan(20);
      expect(sentOut).toBeGreaterThan(8);
    },
    60_000,
  );

  test("would be found, however they are written", () => {
    const secret = plant("here");
    for (const text of [
      secret,
      JSON.stringify({ secret }),
      encodeURIComponent(secret),
      form({ secret }),
      Buffer.from(`x${secret}`).toString("base64"),
      Buffer.from(`alice:${secret}`).toString("base64url"),
      Buffer.from(secret).toString("hex"),
    ]) {
      expect(hunt(`before ${text} after`)).toEqual(["here"]);
    }
  });
});
