/** One datagram to a Unix socket, through libc: neither Bun nor node:dgram has such sockets. */

import { openLibc } from "../libc.ts";

const functions = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "buffer", "usize", "i32", "buffer", "u32"], returns: "i64" },
  close: { args: ["i32"], returns: "i32" },
  clock_gettime: { args: ["i32", "buffer"], returns: "i32" },
} as const;

export interface DatagramSocket {
  /** Whether it was taken, at once; a receiver that is not there or does not keep up is not waited for. */
  send(text: string): boolean;
  /** CLOCK_MONOTONIC, which systemd compares with its own. */
  monotonicMicroseconds(): bigint;
  close(): void;
}

const unixFamily = 1;
const datagramCloseOnExec = 0x2 | 0x80000;
const doNotWaitOrSignal = 0x40 | 0x4000;
const monotonicClock = 1;
/** Of sockaddr_un, its closing NUL left out. */
const maxPathBytes = 107;

/** `path` is a file's, or begins with "@" for a name of the abstract kind. Throws an Error that says what is amiss. */
export function openDatagramSocket(path: string): DatagramSocket {
  const address = socketAddress(path);
  const { symbols, close: unload } = openLibc(functions);
  const descriptor = symbols.socket(unixFamily, datagramCloseOnExec, 0);
  if (descriptor < 0) {
    unload();
    throw new Error("the system gives no Unix datagram socket");
  }
  return {
    send(text) {
      const bytes = Buffer.from(text);
      const sent = symbols.sendto(descriptor, bytes, bytes.length, doNotWaitOrSignal, address, address.length);
      return Number(sent) === bytes.length;
    },
    monotonicMicroseconds() {
      const time = new BigInt64Array(2);
      symbols.clock_gettime(monotonicClock, time);
      const [seconds = 0n, nanoseconds = 0n] = time;
      return seconds * 1_000_000n + nanoseconds / 1_000n;
    },
    close() {
      symbols.close(descriptor);
      unload();
    },
  };
}

function socketAddress(path: string): Buffer {
  const name = Buffer.from(path);
  if (!/^[/@]./s.test(path)) throw new Error(`it must begin with "/" or "@"`);
  if (name.length > maxPathBytes) throw new Error(`it is longer than ${maxPathBytes} bytes`);
  const abstract = path.startsWith("@");
  if (abstract) name[0] = 0;
  const family = Buffer.from(new Uint16Array([unixFamily]).buffer);
  return Buffer.concat([family, name, Buffer.alloc(abstract ? 0 : 1)]);
}
