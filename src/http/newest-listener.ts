/**
 * Of several sockets that listen on one port (SO_REUSEPORT), the newest gets all new connections. The kernel spreads them
 * otherwise, and what still waits in a listener's queue is reset when that listener closes (in 1 of 20 renewals at 1,000
 * connections a second); one that gets no more connections can empty its queue first. Node and Bun have no way to say it,
 * so setsockopt of libc is called.
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { addressOf, openLibc } from "../libc.ts";

/** As in asm-generic/socket.h and linux/bpf_common.h of Linux, the only system with this way. */
const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const BPF_RET_K = 0x06;
const functions = { setsockopt: { args: ["i32", "i32", "i32", "buffer", "u32"], returns: "i32" } } as const;
/** The state of a listening socket in /proc/net/tcp. */
const TCP_LISTEN = "0A";

interface Listening {
  /** As the kernel writes it. */
  readonly address: string;
  readonly inode: string;
}

/** False where the system offers no way; connections then go to any of the listeners. */
export function preferNewest(port: number): boolean {
  try {
    const all = readListening(port);
    const own = findOwn(all);
    if (own === undefined) return false;
    const count = all.filter(({ address }) => address === own.address).length;
    return attach(own.descriptor, count - 1);
  } catch {
    return false; // Not Linux, no /proc, or another C library.
  }
}

function readListening(port: number): Listening[] {
  const tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].map((file) => readFileSync(file, "latin1"));
  const rows = tables.flatMap((table) => table.split("\n").map((row) => row.trim().split(/\s+/)));
  return rows.flatMap(([, address = "", , state, , , , , , inode = ""]) => {
    const itsPort = Number.parseInt(address.split(":")[1] ?? "", 16);
    return state === TCP_LISTEN && itsPort === port ? [{ address, inode }] : [];
  });
}

/** Any of ours will do: what is attached belongs to all sockets of the address. */
function findOwn(all: readonly Listening[]): { readonly descriptor: number; readonly address: string } | undefined {
  for (const descriptor of readdirSync("/proc/self/fd")) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/self/fd/${descriptor}`)) ?? [];
    const found = all.find((each) => each.inode === inode);
    if (found !== undefined) return { descriptor: Number(descriptor), address: found.address };
  }
  return undefined;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // It was closed meanwhile, as the one that lists the folder is.
  }
}

/**
 * A program of one instruction, `return index`, chooses the socket by its place in the order of listening. Where there is
 * no such place any more, as after the older one has closed, the kernel chooses as if there were no program.
 */
function attach(descriptor: number, index: number): boolean {
  const { symbols, close } = openLibc(functions);
  try {
    const program = new DataView(new ArrayBuffer(24));
    // struct sock_fprog: one instruction, which stands behind it
    program.setUint16(0, 1, true);
    program.setBigUint64(8, addressOf(program) + 16n, true);
    // struct sock_filter
    program.setUint16(16, BPF_RET_K, true);
    program.setUint32(20, index, true);
    return symbols.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, 16) === 0;
  } finally {
    close();
  }
}
