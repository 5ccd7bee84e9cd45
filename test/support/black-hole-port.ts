/**
 * A loopback port at which a TCP connection is neither accepted nor refused, as behind a firewall that drops packets: its
 * owner is stopped and its queue of connections is full, so that the kernel ignores every further SYN.
 */

import { connect, type Socket } from "node:net";
import { startChild } from "./child-process.ts";
import { eventually } from "./wait.ts";

/** For Node, which npm came with: Bun ignores the backlog, and its queue takes hundreds. */
const ownerProgram = `
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: process.argv[1], backlog: 1 }, () => console.log("port", server.address().port));
`;
/** A loopback connection is there at once, or not at all. */
const patienceMs = 100;

export interface BlackHolePort {
  readonly host: string;
  readonly port: number;
  stop(): Promise<void>;
}

export async function openBlackHolePort(host: "127.0.0.1" | "::1" = "127.0.0.1"): Promise<BlackHolePort> {
  const owner = startChild(["node", "-e", ownerProgram, host]);
  const fillers: Socket[] = [];
  const stop = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    await owner.kill();
  };
  try {
    await owner.says(/port \d+/, 5000);
    const port = Number(/port (\d+)/.exec(owner.output())?.[1]);
    process.kill(owner.pid, "SIGSTOP");
    await eventually(async () => !(await fill(host, port, fillers)), 5000, "the queue to be full");
    return { host, port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whether one more connection went into the queue. */
function fill(host: string, port: number, fillers: Socket[]): Promise<boolean> {
  return new Promise((resolve) => {
    const filler = connect(port, host);
    fillers.push(filler);
    filler.on("error", () => resolve(false));
    filler.once("connect", () => resolve(true));
    setTimeout(() => resolve(false), patienceMs);
  });
}
