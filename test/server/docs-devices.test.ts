/**
 * Devices, as docs/devices.md has them: its blocks for boards, and byte for byte what the HTTP clients of MicroPython and
 * ESP-IDF send, through the real program. curl, wget and BusyBox are run by docs-commands.test.ts.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { join } from "node:path";
import { runToEnd } from "../support/child-process.ts";
import { type CodeBlock, readBlocks } from "../support/documents.ts";
import { type Binary, startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { eventually, within } from "../support/wait.ts";

const deadlineMs = 20_000;
const blocks = (await readBlocks()).filter(({ file }) => file === "docs/devices.md");

let peer: Peer;
let gateway: Binary;
beforeAll(async () => {
  peer = await startPeer();
  gateway = await startBinary({ hosts: hostOf(peer) });
}, deadlineMs);
afterAll(async () => {
  await gateway?.stop();
  await peer?.stop();
});

const login = `Basic ${Buffer.from("alice@example.com:secret").toString("base64")}`;

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends the pieces, each in a packet of its own, and reads one answer by its Content-Length, as a small client does. */
async function exchange(pieces: readonly string[]): Promise<Answer & { readonly closed: Promise<void> }> {
  const socket = connect({ port: gateway.port, host: "127.0.0.1", noDelay: true });
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes;
  });
  const closed = new Promise<void>((resolve) => {
    // An error is followed by "close".
    socket.on("error", () => {});
    socket.once("close", () => resolve());
  });
  for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
  const whole = () => {
    const [, head = "", body = ""] = /^([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(text) ?? [];
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    return length !== undefined && Buffer.byteLength(body) >= Number(length) ? { head, body } : undefined;
  };
  await eventually(() => whole() !== undefined, deadlineMs, `an answer to ${pieces[0]}; so far ${text}`);
  const { head, body } = whole() ?? { head: "", body: "" };
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body, closed };
}

const lines = (...all: readonly string[]) => `${all.join("\r\n")}\r\n\r\n`;

describe("byte for byte,", () => {
  const text = "21.5 °C";
  const length = Buffer.byteLength(text);
  test.each<[string, string, readonly string[], string]>([
    [
      "MicroPython's urequests, up to micropython-lib's requests 0.9",
      text,
      [
        lines(
          "POST /msg/bob@example.com HTTP/1.0",
          "Host: 127.0.0.1",
          "Content-Type: text/plain",
          `Authorization: ${login}`,
          `Content-Length: ${length}`,
          "Connection: close",
        ),
        text,
      ],
      "ends",
    ],
    [
      "MicroPython's requests from 0.10 on",
      text,
      [
        lines(
          "POST /msg/bob@example.com HTTP/1.1",
          "Content-Type: text/plain",
          `Authorization: ${login}`,
          "Host: 127.0.0.1",
          `Content-Length: ${length}`,
          "Connection: close",
        ),
        text,
      ],
      "ends",
    ],
    [
      "MicroPython's requests with json=, header by header as the library writes them",
      text,
      [
        ...["POST /msg/ HTTP/1.1\r\n", "Authorization", ": ", login, "\r\n", "Host", ": ", "127.0.0.1", "\r\n"],
        ...["Content-Type", ": ", "application/json", "\r\n"],
        ...["Content-Length", ": ", "50", "\r\n", "Connection", ": ", "close", "\r\n", "\r\n"],
        `{"to": "bob@example.com", "body": "21.5 \\u00b0C"}`.padEnd(50),
      ],
      "ends",
    ],
    [
      "MicroPython's requests with a generator",
      text,
      [
        lines(
          "POST /msg/bob@example.com HTTP/1.1",
          "Content-Type: text/plain",
          `Authorization: ${login}`,
          "Host: 127.0.0.1",
          "Transfer-Encoding: chunked",
          "Connection: close",
        ),
        ...["5\r\n", "21.5 ", "\r\n", "3\r\n", "°C", "\r\n", "0\r\n\r\n"],
      ],
      "ends",
    ],
    [
      "ESP-IDF's esp_http_client with auth_type = HTTP_AUTH_TYPE_BASIC",
      text,
      [
        lines(
          "POST /msg/bob@example.com HTTP/1.1",
          "User-Agent: ESP32 HTTP Client/1.0",
          "Host: 127.0.0.1:5280",
          "Content-Type: text/plain",
          `Authorization: ${login}`,
          `Content-Length: ${length}`,
        ),
        text,
      ],
      "stays",
    ],
    [
      "ESP-IDF's esp_http_client without set_header, which calls a text a form",
      "load=5 high",
      [
        lines(
          "POST /msg/bob@example.com HTTP/1.1",
          "User-Agent: ESP32 HTTP Client/1.0",
          "Host: 127.0.0.1",
          "Content-Type: application/x-www-form-urlencoded",
          `Authorization: ${login}`,
          "Content-Length: 11",
        ),
        "load=5 high",
      ],
      "stays",
    ],
    [
      "ESP-IDF's esp_http_client_open with an unknown length",
      text,
      [
        lines(
          "POST /msg/bob@example.com HTTP/1.1",
          "User-Agent: ESP32 HTTP Client/1.0",
          "Host: 127.0.0.1",
          "Content-Type: text/plain",
          `Authorization: ${login}`,
          "Transfer-Encoding: chunked",
        ),
        ...["8\r\n", text, "\r\n", "0\r\n\r\n"],
      ],
      "stays",
    ],
  ])("%s", async (_, expected, pieces, connection) => {
    const before = peer.messages.length;
    const { status, body, head, closed } = await exchange(pieces);
    expect([status, body]).toEqual([201, expect.stringContaining(`"to":"bob@example.com"`)]);
    // Small clients read no chunks.
    expect(head).not.toMatch(/transfer-encoding/i);
    expect(peer.messages.slice(before).map((message) => message.body)).toEqual([expected]);
    if (connection === "ends") await within(deadlineMs, "the connection to end", closed);
  });

  test("ESP-IDF's esp_http_client without auth_type gets a challenge that it understands", async () => {
    const request = (more: readonly string[]) => [
      lines(
        "POST /msg/bob@example.com HTTP/1.1",
        "User-Agent: ESP32 HTTP Client/1.0",
        "Host: 127.0.0.1",
        "Content-Type: text/plain",
        ...more,
        "Content-Length: 5",
      ),
      "hello",
    ];
    const first = await exchange(request([]));
    expect(first.status).toBe(401);
    // It compares the beginning, and takes the realm from between the quotes.
    expect(first.head).toMatch(/^WWW-Authenticate: Basic realm="[^"]+"/m);
    expect((await exchange(request([`Authorization: ${login}`]))).status).toBe(201);
  });
});

describe("as docs/devices.md has it,", () => {
  test.each(["0.9", "0.10"])("MicroPython, with requests %s", async (version) => {
    const file = blockOf("python").text.replaceAll("192.0.2.10:5280", `127.0.0.1:${gateway.port}`);
    const before = peer.messages.length;
    const output = await runToEnd(["/usr/bin/python3", "-c", file], {
      env: {
        ...process.env,
        PYTHONPATH: join(import.meta.dir, "../support/devices"),
        PYTHONDONTWRITEBYTECODE: "1",
        REQUESTS_VERSION: version,
      },
    });
    expect(output.trim()).toBe("201");
    expect(peer.messages.slice(before).map(({ body }) => body)).toEqual(["21.5 °C in the cellar"]);
  });

  test("ESP-IDF: the values of the block, in the bytes that the library makes of them", async () => {
    const { text: source } = blockOf("c");
    const value = (pattern: RegExp) => pattern.exec(source)?.[1] ?? `nothing for ${pattern}`;
    const url = new URL(value(/\.url = "([^"]+)"/));
    const credentials = `${value(/\.username = "([^"]+)"/)}:${value(/\.password = "([^"]+)"/)}`;
    const text = value(/const char \*text = "([^"]+)"/);
    expect(source).toContain(".auth_type = HTTP_AUTH_TYPE_BASIC");
    expect(source).toContain(".method = HTTP_METHOD_POST");
    const before = peer.messages.length;
    const { status } = await exchange([
      lines(
        `POST ${url.pathname} HTTP/1.1`,
        "User-Agent: ESP32 HTTP Client/1.0",
        `Host: ${url.host}`,
        `Content-Type: ${value(/"Content-Type", "([^"]+)"/)}`,
        `Authorization: Basic ${Buffer.from(credentials).toString("base64")}`,
        `Content-Length: ${Buffer.byteLength(text)}`,
      ),
      text,
    ]);
    expect(status).toBe(201);
    expect(peer.messages.slice(before).map(({ body }) => body)).toEqual([text]);
  });
});

function blockOf(language: string): CodeBlock {
  const found = blocks.filter((block) => block.language === language);
  const [block] = found;
  if (block === undefined || found.length > 1)
    throw new Error(`docs/devices.md has ${found.length} blocks in ${language}.`);
  return block;
}
