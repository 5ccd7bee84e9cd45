/** Sessions that nobody uses cost little, and nothing once they are closed: the executable, a peer in another process. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { startBinary } from "../support/gateway.ts";
import { startPeerProcess } from "../support/peer-process.ts";
import { countDescriptors, cpuMs, residentKiB } from "../support/process-figures.ts";
import { allowed, isSoak, sized } from "../support/soak.ts";
import { eventually } from "../support/wait.ts";

const sessions = sized(5_000, 200);
const idleS = sized(170, 4);
/** A whole turn of keep-alives. */
const watchS = sized(60, 1);
const warmUps = 50;
const atATime = 64;
/** Of each session, beyond what the program needs anyway. */
const mostKiB = 120;
const mostCpuShare = 0.02;
/** Of all of them, once closed: a tenth of what they took. */
const mostKiBLeft = (sessions * mostKiB) / 10;
/** Three rounds of looking for idle sessions, and the collector's work. */
const returnDeadlineMs = 120_000;

setDefaultTimeout(allowed(600_000, 60_000));

test(`${sessions} idle sessions cost little and give all of it back`, async () => {
  const peer = await startPeerProcess(sessions + warmUps);
  const gateway = await startBinary({
    hosts: peer.hosts,
    settings: {
      log: { format: "json", level: "warn" },
      sessions: { max: 100_000, idle: `${idleS}s`, login_timeout: "60s" },
      throttle: { server_failures: 1_000_000, server_failures_burst: 1_000_000 },
    },
  });
  const { pid } = gateway.process;
  try {
    await open(gateway.url, sessions, sessions + warmUps);
    await closed(pid, await baseline(pid));
    const [descriptorsBefore, kibBefore] = [await countDescriptors(pid), await residentKiB(pid)];

    await open(gateway.url, 0, sessions);
    // Beside these there may have been more before than now: connections of this test's own that were just ending.
    expect(await countDescriptors(pid)).toBeGreaterThanOrEqual(sessions);
    const kibEach = ((await residentKiB(pid)) - kibBefore) / sessions;
    const cpuBefore = await cpuMs(pid);
    await Bun.sleep(watchS * 1000);
    const cpuShare = ((await cpuMs(pid)) - cpuBefore) / (watchS * 1000);

    await closed(pid, descriptorsBefore);
    if (!isSoak) return;
    const kibLeft = async () => (await residentKiB(pid)) - kibBefore;
    const [kibAtOnce, closedMs] = [await kibLeft(), performance.now()];
    process.stdout.write(
      `${sessions} idle sessions: ${kibEach.toFixed(1)} KiB each, ${(cpuShare * 100).toFixed(2)} % of a core\n`,
    );
    await eventually(
      async () => (await kibLeft()) < mostKiBLeft,
      returnDeadlineMs,
      "the memory to be given back",
    ).catch(async (error) => {
      throw new Error(`${await kibLeft()} KiB are left, where ${mostKiBLeft} may be`, { cause: error });
    });
    const seconds = Math.round((performance.now() - closedMs) / 1000);
    process.stdout.write(`once closed ${kibAtOnce} KiB more than before, ${seconds} s later ${await kibLeft()}\n`);
    expect(kibEach).toBeLessThan(mostKiB);
    expect(cpuShare).toBeLessThan(mostCpuShare);
  } finally {
    await gateway.stop();
    await peer.stop();
  }
});

async function open(url: string, from: number, to: number): Promise<void> {
  let next = from;
  const sender = async () => {
    for (let nth = next++; nth < to; nth = next++) {
      const authorization = `Basic ${btoa(`user${nth}@example.com:secret`)}`;
      const response = await fetch(`${url}/bob@example.com`, {
        method: "POST",
        body: "hi",
        headers: { Authorization: authorization },
        keepalive: false,
      });
      if (response.status !== 201) throw new Error(`user${nth} was answered ${await response.text()}`);
    }
  };
  await Promise.all(Array.from({ length: atATime }, sender));
}

/** What is open beside sessions and the connections of this test's own requests. */
async function baseline(pid: number): Promise<number> {
  return (await countDescriptors(pid)) - warmUps;
}

async function closed(pid: number, descriptors: number): Promise<void> {
  const deadlineMs = (idleS * 1.5 + 60) * 1000;
  await eventually(async () => (await countDescriptors(pid)) <= descriptors + 2, deadlineMs, "the sessions to close");
}
