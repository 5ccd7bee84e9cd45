/**
 * The file of a Unix socket: nobody can connect to it before it has its permissions, one that a killed process left is
 * replaced, and one that somebody answers on is taken over only when that is wanted.
 */

import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { cannotListen, errorCode, explain, type ListenSetting } from "./cannot-listen.ts";

export interface SocketPlace {
  readonly path: string;
  /** Where the path is from. */
  readonly setting: ListenSetting;
  readonly mode: number;
  /** Whoever answers there finishes what it has, and new connections come here. */
  readonly takeOver: boolean;
}

interface Server {
  stop(cut: boolean): unknown;
}

/**
 * `open` makes a listening socket with a file of the name that it is given. Returns what it made, and what removes the
 * file unless it is another process's by then.
 */
export async function placeSocket<S extends Server>(
  { path, setting, mode, takeOver }: SocketPlace,
  open: (path: string) => S,
): Promise<{ readonly server: S; remove(): void }> {
  await makeWay(path, setting, takeOver);
  // Under a name of its own until it has its permissions, then in one step under the one that is known.
  const temporary = join(dirname(path), `.${randomBytes(4).toString("hex")}`);
  let server: S | undefined;
  try {
    server = open(temporary);
    const { ino } = lstatSync(temporary);
    chmodSync(temporary, mode);
    if (takeOver) renameSync(temporary, path);
    else {
      linkSync(temporary, path);
      unlinkSync(temporary);
    }
    return { server, remove: () => removeOwn(path, ino) };
  } catch (error) {
    server?.stop(true);
    throw cannotListen({ address: path, setting }, explain(errorCode(error)), error);
  }
}

async function makeWay(path: string, setting: ListenSetting, takeOver: boolean): Promise<void> {
  const found = look(path);
  if (found === undefined) return;
  if (!found.isSocket())
    throw cannotListen({ address: path, setting }, "there is already a file of that name, which is not a socket");
  if (takeOver) return;
  if (await answers(path)) throw cannotListen({ address: path, setting }, "another process answers on it");
  try {
    unlinkSync(path);
  } catch (error) {
    throw cannotListen(
      { address: path, setting },
      "the socket that an earlier process left there cannot be removed",
      error,
    );
  }
}

function removeOwn(path: string, ino: number): void {
  if (look(path)?.ino !== ino) return;
  try {
    unlinkSync(path);
  } catch {
    // Its folder may be read-only by now; the next start replaces what nobody answers on.
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined; // What cannot be looked at, the bind will complain of.
  }
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
