/**
 * Ports for servers of other programs, which cannot be asked for port 0. They lie below the range from which the kernel
 * takes the ports of outgoing connections (32768 on Linux), so that a server which is down for a moment, in a test of
 * restarts, finds its port free again.
 */

import { createServer } from "node:net";

const lowest = 20_000;
const highest = 32_000;
const attempts = 100;

/** TCP ports that are free on 127.0.0.1 now; none is given out twice by this process. */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await findFreePort());
  return ports;
}

const givenOut = new Set<number>();

export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (givenOut.has(port) || !(await canListen(port))) continue;
    givenOut.add(port);
    return port;
  }
  throw new Error(`No free port could be found between ${lowest} and ${highest} in ${attempts} attempts.`);
}

/** Whether this port is free on 127.0.0.1 now. */
export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
