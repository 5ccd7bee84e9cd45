/** How late the one thread of the program is: everything waits for it. */

import { Histogram, type Registry } from "prom-client";

const intervalMs = 100;
const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Ten times a second it is seen how much later than wanted a timer runs. */
export function measureEventLoop(registers: Registry[]): { stop(): void } {
  const delay = new Histogram({
    name: "post_msg_event_loop_delay_seconds",
    help: "How late timers run. High: the process lacks CPU; give it a faster or less busy core, or run a second instance.",
    buckets,
    registers,
  });
  let dueMs = performance.now() + intervalMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    delay.observe(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + intervalMs;
  }, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
