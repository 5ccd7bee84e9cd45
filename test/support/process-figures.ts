/** What the kernel knows of a process (Linux). */

import { readdir, readFile } from "node:fs/promises";

export async function residentKiB(pid: number | "self"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
}

export async function countDescriptors(pid: number | "self"): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** User and system time, in milliseconds; the kernel counts in hundredths of a second. */
export async function cpuMs(pid: number | "self"): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
