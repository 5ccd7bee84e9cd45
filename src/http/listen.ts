/** Takes the address to listen on: a TCP port nobody else has, or a Unix socket nobody else answers on. */

import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { ListenAddress } from "./options.ts";

export type BunServer = Bun.Server<undefined>;

export interface ServeOptions {
  readonly idleTimeout: number;
  readonly development: false;
  readonly maxRequestBodySize: number;
  fetch(request: Request, server: BunServer): Promise<Response>;
}

/** Rejects with an Error whose message says why the address cannot be had. */
export async function openAddress(address: ListenAddress, options: ServeOptions): Promise<BunServer> {
  if ("unixPath" in address) {
    const { unixPath } = address;
    await removeAbandonedSocket(unixPath);
    const { idleTimeout: _, ...rest } = options; // Bun has one for TCP only.
    return tryToListen(unixPath, () => Bun.serve({ ...rest, unix: unixPath }));
  }
  const { hostname, port } = address;
  return tryToListen(`${hostInUrl(hostname)}:${port}`, () =>
    Bun.serve({ ...options, hostname, port, reusePort: false }),
  );
}

/** IPv6 addresses in brackets. */
export function hostInUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function tryToListen(address: string, listen: () => BunServer): BunServer {
  try {
    return listen();
  } catch (error) {
    throw cannotListen(address, explain(errorCode(error)), error);
  }
}

/** After a kill, the file of a Unix socket stays and the next bind fails until it is removed. */
async function removeAbandonedSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined); // What cannot be looked at, the bind will complain of.
  if (found === undefined) return;
  if (!found.isSocket()) throw cannotListen(path, "there is already a file of that name, which is not a socket");
  if (await answers(path)) throw cannotListen(path, "another process answers on it");
  await unlink(path).catch((error: unknown) => {
    throw cannotListen(path, "the socket that an earlier process left there cannot be removed", error);
  });
}

/** Anything but a plain refusal counts as an answer: a socket that we may not open has an owner. */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.setTimeout(2_000, () => resolve(true));
  socket.once("connect", () => resolve(true));
  socket.on("error", (error) => resolve(errorCode(error) !== "ECONNREFUSED" && errorCode(error) !== "ENOENT"));
  return promise.finally(() => socket.destroy());
}

function cannotListen(address: string, reason: string, cause?: unknown): Error {
  return new Error(`Could not listen on "${address}": ${reason}.`, cause === undefined ? undefined : { cause });
}

function explain(code: string | undefined): string {
  switch (code) {
    case "EADDRINUSE":
      return "another process has that address";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine has no such address";
    case "EACCES":
    case "EPERM":
      return "this user may not; ports below 1024 and foreign folders need a permission";
    case "ENOENT":
    case "ENOTDIR":
      return "its folder does not exist";
    default:
      return `the system refused (${code ?? "no reason given"})`;
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
