/** Where the CPU time of a SCRAM login is spent: on threads of the pool, not on the one that also serves the requests. */

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { chooseExchange } from "../../src/xmpp/sasl/choose.ts";
import { context, offering, server, signal } from "../support/scram-login.ts";
import { bytes, serverFirst } from "../support/scram-server.ts";

test.skipIf(process.platform !== "linux").each(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])(
  "a login with %s leaves nine tenths of its work to other threads than the event loop's",
  async (mechanism) => {
    const login = async () => {
      const exchange = chooseExchange(offering(mechanism), context);
      const first = serverFirst({ ...server, iterations: 200_000 }, exchange.initialResponse);
      await exchange.respond(bytes(first), signal);
    };
    await login();
    const [loopBefore, allBefore] = [eventLoopCpuMs(), process.cpuUsage()];
    for (let done = 0; done < 3; done++) await login();
    const all = process.cpuUsage(allBefore);
    expect(eventLoopCpuMs() - loopBefore).toBeLessThan((all.user + all.system) / 1000 / 10);
  },
);

/** As the scheduler counts it, in nanoseconds in the first field. The main thread's id is the process's. */
function eventLoopCpuMs(): number {
  const [runNs = ""] = readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, "utf8").split(" ");
  return Number(runNs) / 1e6;
}
