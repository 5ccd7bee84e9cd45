/**
 * How long a refused login takes, by its reason: an account that does not exist, a wrong password, a password that is
 * remembered to be wrong. `bun test/bench/refusals.ts` prints the medians, which may differ by 2 ms at the most; the
 * limits on failures are raised, and a real server is asked (`prosody`, the default, or `ejabberd`).
 */

import { startEjabberd } from "../support/ejabberd.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { startProsody } from "../support/prosody.ts";

const rounds = 500;
const atATime = 10;
const warmUps = 20;
const mostMs = 2;
const unlimited = 1_000_000;

const startServer = process.argv[2] === "ejabberd" ? startEjabberd : startProsody;
const server = await startServer({ accounts: { "alice@example.com": "secret" } });
const gateway = await startGateway({
  hosts: hostOf({ ...server, port: server.c2sPort }),
  settings: {
    throttle: {
      address_per_minute: unlimited,
      address_per_day: unlimited,
      account_per_hour: unlimited,
      server_failures: unlimited,
      server_failures_burst: unlimited,
    },
  },
});

try {
  const reasons = {
    "unknown account": (nth: number) => `nobody${nth}@example.com:guess`,
    "wrong password": (nth: number) => `alice@example.com:guess ${nth}`,
    "remembered failure": () => "alice@example.com:guess 0",
  };
  const times: Record<string, number[]> = { "unknown account": [], "wrong password": [], "remembered failure": [] };
  await measure(gateway, reasons["wrong password"](0));
  // In turns, so that whatever else this machine does falls on all of them alike.
  for (let round = -warmUps; round < rounds; round += atATime) {
    for (const [reason, userOf] of Object.entries(reasons)) {
      const batch = Array.from({ length: atATime }, (_, index) => measure(gateway, userOf(1000 + round + index)));
      const taken = await Promise.all(batch);
      if (round >= 0) times[reason]?.push(...taken);
    }
  }
  const medians = Object.entries(times).map(([reason, taken]) => {
    const sorted = taken.toSorted((one, other) => one - other);
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    const figures = [0.5, 0.05, 0.95, 1].map((share) => at(share).toFixed(2));
    say(`${reason.padEnd(18)} median ${figures[0]} ms, p5 ${figures[1]}, p95 ${figures[2]}, max ${figures[3]}`);
    return at(0.5);
  });
  const spread = Math.max(...medians) - Math.min(...medians);
  say(`the medians differ by ${spread.toFixed(2)} ms, where ${mostMs} are allowed`);
  process.exitCode = spread <= mostMs ? 0 : 1;
} finally {
  await gateway.stop();
  await server.stop();
}

/** Milliseconds. */
async function measure({ post }: Gateway, user: string): Promise<number> {
  const startedMs = performance.now();
  const response = await post("/msg/bob@example.com", "hi", { user });
  await response.arrayBuffer();
  if (response.status !== 401) throw new Error(`A refusal was expected, and ${response.status} came.`);
  return performance.now() - startedMs;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
