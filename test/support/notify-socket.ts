/**
 * A Unix datagram socket that keeps what it is told, as systemd's does. Neither Bun nor Node has such sockets, so that
 * Python listens.
 */

import { startChild } from "./child-process.ts";
import { eventually } from "./wait.ts";

export interface NotifySocket {
  readonly path: string;
  /** Each with the process id that the kernel says it came from. */
  received(): readonly Notification[];
  /** Resolves once so many of them begin with `text`. */
  hears(text: string, count?: number): Promise<void>;
  /** It reads no more. */
  pause(): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface Notification {
  readonly pid: number;
  readonly text: string;
}

const listener = `
import json, socket, struct, sys
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind("\\0" + path[1:] if path[0] == "@" else path)
print("bound", flush=True)
while True:
    data, control, _, _ = s.recvmsg(4096, 512)
    pid = struct.unpack("3i", control[0][2])[0]
    print(json.dumps({"pid": pid, "text": data.decode()}), flush=True)
`;
const deadlineMs = 10_000;

/** `path` is a file's, or begins with "@". */
export async function listenForNotifications(path: string): Promise<NotifySocket> {
  const child = startChild(["python3", "-c", listener, path]);
  await child.says(/^bound\n/, deadlineMs);
  const received = () => {
    const lines = child.output().split("\n").slice(1, -1);
    return lines.map((line): Notification => JSON.parse(line));
  };
  const stop = () => child.kill();
  return {
    path,
    received,
    hears: async (text, count = 1) => {
      const enough = () => received().filter((each) => each.text.startsWith(text)).length >= count;
      await eventually(enough, deadlineMs, `${count} × ${text}`);
    },
    pause: () => void process.kill(child.pid, "SIGSTOP"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
