/** What Prometheus wants to know of every process, under the names that it gives them. Linux has them all. */

import { readdirSync, readFileSync } from "node:fs";
import { Counter, Gauge, type Registry } from "prom-client";

export function addProcessMetrics(registers: Registry[]): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time, user and system. A rate near 1 is a full core, which is all that one instance can use: run a second one.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process was started, in seconds since 1970.",
    registers,
  }).set(startedAt);
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory in use. High: fewer sessions need less; lower [sessions] max or idle.",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_open_fds",
    help: "Open files and sockets. Near process_max_fds: raise the limit (systemd: LimitNOFILE), or lower [sessions] max.",
    registers,
    collect() {
      this.set(countOpenFiles());
    },
  });
  new Gauge({
    name: "process_max_fds",
    help: "How many files and sockets the process may open.",
    registers,
    collect() {
      this.set(readLimit());
    },
  });
}

function countOpenFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return Number.NaN; // Not Linux.
  }
}

function readLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.NaN; // Not Linux.
  }
}
