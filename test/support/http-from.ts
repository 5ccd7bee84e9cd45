/** HTTP requests from a chosen loopback address, as many clients on many machines would make them. */

import { Agent, request } from "node:http";

export interface HttpAnswer {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  /** Of a problem+json. */
  readonly code: string | undefined;
  readonly body: string;
}

export interface HttpRequest {
  readonly port: number;
  /** user-id:password */
  readonly user: string;
  readonly body: string;
  /** The client's own address; default: the system's choice, 127.0.0.1. */
  readonly from?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

const deadlineMs = 65_000;

/** Every request has a connection of its own. */
export function postFrom({ port, user, body, from, headers = {}, path }: HttpRequest): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const agent = new Agent({ keepAlive: false });
  const outgoing = request(
    {
      host: "127.0.0.1",
      port,
      agent,
      method: "POST",
      path: path ?? "/msg/bob@example.com",
      headers: {
        Authorization: `Basic ${Buffer.from(user).toString("base64")}`,
        "Content-Type": "text/plain",
        ...headers,
      },
      ...(from === undefined ? {} : { localAddress: from }),
    },
    (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("error", reject);
      incoming.on("end", () => {
        const retryAfter = incoming.headers["retry-after"];
        resolve({
          status: incoming.statusCode ?? 0,
          retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
          code: /"code":"([a-z_]+)"/.exec(text)?.[1],
          body: text,
        });
      });
    },
  );
  outgoing.setTimeout(deadlineMs, () => outgoing.destroy(new Error("No answer came in time.")));
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise.finally(() => agent.destroy());
}

/** The nth of many loopback addresses, of which all systems based on Linux have 16 million. */
export function loopbackAddress(nth: number): string {
  return `127.${1 + ((nth >> 16) & 0x3f)}.${(nth >> 8) & 0xff}.${nth & 0xff}`;
}
