/** The HTTP side alone, on a free port, with a `deliver` that a test holds. */

import { connect } from "node:net";
import type { Delivery, HttpOptions } from "../../src/http/options.ts";
import { startHttp } from "../../src/http/server.ts";
import type { Message, Receipt } from "../../src/message.ts";
import type { RequestLine } from "../../src/request-log.ts";

/** An undefined header is not sent. */
type HeaderTable = Readonly<Record<string, string | undefined>>;

type Body = string | Uint8Array<ArrayBuffer> | FormData | ReadableStream;

export interface Gateway {
  /** Without the base path. */
  readonly origin: string;
  readonly port: number;
  /** What reached `deliver`, in order. */
  readonly deliveries: readonly Delivery[];
  readonly lines: readonly RequestLine[];
  /** As alice@example.com unless the headers say otherwise. A string is text/plain unless they say otherwise. */
  post(path: string, body?: Body, headers?: HeaderTable, method?: string): Promise<Response>;
  /** The message that the request makes; throws if it is not a 201. */
  sent(path: string, body?: Body, headers?: HeaderTable): Promise<Message>;
  /** With these in place of the options that it was started with. */
  reload(changed: Partial<HttpOptions>): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const alice = basic("alice@example.com:secret");

export async function startGateway(overrides: Partial<HttpOptions> = {}): Promise<Gateway> {
  const deliveries: Delivery[] = [];
  const lines: RequestLine[] = [];
  const allowedHosts = overrides.allowedHosts ?? ["example.com", "example.org"];
  const options: HttpOptions = {
    listen: { hostname: "127.0.0.1", port: 0 },
    tls: undefined,
    socketMode: 0o660,
    reusePort: false,
    path: "/msg",
    rest: true,
    maxBodyBytes: 64 * 1024,
    maxInFlight: 1000,
    forbiddenCharacters: "refuse",
    waitMaxMs: 60_000,
    maxRecipients: 100,
    aliases: new Map(),
    trustedProxies: [],
    allowedOrigins: [],
    admit: () => {},
    allowedHosts,
    isAllowedHost: (domain) => allowedHosts.includes(domain),
    onlyHost: allowedHosts.length === 1 ? allowedHosts[0] : undefined,
    mayReceive: () => true,
    log: (line) => lines.push(line),
    ...overrides,
    deliver(delivery) {
      deliveries.push(delivery);
      return (overrides.deliver ?? acknowledge)(delivery);
    },
  };
  const server = await startHttp(options);
  const { origin, port } = new URL(server.url);
  const gateway: Gateway = {
    origin,
    port: Number(port),
    deliveries,
    lines,
    post: (path, body, headers = {}, method = "POST") =>
      fetch(`${origin}${path}`, {
        method,
        headers: present({ Authorization: alice, ...headers }),
        ...(body === undefined ? {} : { body }),
      }),
    async sent(path, body, headers) {
      const response = await gateway.post(path, body, headers);
      const last = deliveries.at(-1);
      if (response.status !== 201 || last === undefined) throw new Error(await response.text());
      return last.message;
    },
    reload: (changed) => server.reload({ ...options, ...changed }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
  return gateway;
}

/** Credentials as an Authorization header. */
export function basic(userPass: string | Uint8Array): string {
  return `Basic ${Buffer.from(userPass).toString("base64")}`;
}

/** What comes back for these bytes by the time the server closes the connection. Header lines are joined by CRLF. */
export function exchange(port: number, headerLines: readonly string[], body = ""): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setTimeout(5_000, () => reject(new Error(`no answer within 5 s; so far: ${received}`)));
  socket.on("data", (data) => {
    received += data;
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(received));
  socket.write(
    [...headerLines, "Connection: close", `Content-Length: ${Buffer.byteLength(body)}`, "", body].join("\r\n"),
  );
  return promise.finally(() => socket.destroy());
}

async function acknowledge({ credentials, message }: Delivery): Promise<Receipt> {
  return { id: message.id, from: credentials.account.bare, to: message.to.full, type: message.type };
}

function present(headers: HeaderTable): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) kept[name] = value;
  return kept;
}
