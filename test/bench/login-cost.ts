/**
 * What a SCRAM login of 10,000 iterations costs the event loop: CPU time of the main thread alone, since PBKDF2 runs on
 * others. `bun test/bench/login-cost.ts` prints mean, median and spread, for the SASL exchange by itself and for a whole
 * login (TCP, STARTTLS, SASL, resource, stream management) at a scripted peer in another process.
 */

import { createHmac, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { chooseExchange } from "../../src/xmpp/sasl/choose.ts";
import { makeAuthority } from "../support/ca.ts";
import { startChild } from "../support/child-process.ts";
import { attemptLogin } from "../support/login-attempt.ts";
import { startPeer } from "../support/peer/peer.ts";

const iterations = 10_000;
const rounds = 200;
const warmUps = 20;
const mechanisms = [
  ["SCRAM-SHA-1", "sha1", 20],
  ["SCRAM-SHA-256", "sha256", 32],
  ["SCRAM-SHA-512", "sha512", 64],
] as const;
const signal = new AbortController().signal;
const salt = Buffer.from("a salt of sixteen");
const password = "pässwörd :€";

const [role, wanted = ""] = process.argv.slice(2);
if (role === "peer") {
  const accounts = { "alice@example.com": password };
  const peer = await startPeer({ accounts, iterations, mechanisms: [wanted], record: false });
  say(JSON.stringify({ port: peer.port, certificatePem: peer.authority.certificatePem }));
} else {
  for (const [mechanism, hash, length] of mechanisms) {
    say(`${mechanism}, ${iterations} iterations, ${rounds} times`);
    const salted = pbkdf2Sync(password, salt, iterations, length, hash);
    await report("exchange", () => exchangeOnce(mechanism, hash, salted));
    await reportLogin(mechanism);
  }
}

async function reportLogin(mechanism: string): Promise<void> {
  const child = startChild([process.execPath, import.meta.path, "peer", mechanism]);
  try {
    await child.says(/\}\n/, 10_000);
    const { port, certificatePem } = JSON.parse(child.output());
    const ca = { ...(await makeAuthority()), certificatePem };
    const peer = { domain: "example.com", host: "127.0.0.1", port };
    await report("whole login", async () => {
      const attempt = attemptLogin({ peer, ca, password });
      const outcome = await attempt.outcome;
      if (outcome !== "logged in") throw new Error(`The login ended with ${outcome}.`);
      return attempt.end;
    });
  } finally {
    await child.kill();
  }
}

/** What `run` resolves to is done outside of the measurement. */
async function report(what: string, run: () => Promise<(() => Promise<void>) | undefined>): Promise<void> {
  const cpuMs: number[] = [];
  const wallMs: number[] = [];
  for (let round = -warmUps; round < rounds; round++) {
    const [cpuBefore, wallBefore] = [threadCpuMs(), performance.now()];
    const clean = await run();
    if (round >= 0) {
      wallMs.push(performance.now() - wallBefore);
      cpuMs.push(threadCpuMs() - cpuBefore);
    }
    await clean?.();
  }
  say(`  ${what.padEnd(12)} CPU of the event loop: ${describe(cpuMs)}`);
  say(`  ${" ".repeat(12)} from begin to end:     ${describe(wallMs)}`);
}

/** The client's side as in a real login; the server's part is cheap, because it has the salted password already. */
async function exchangeOnce(mechanism: string, hash: string, salted: Buffer): Promise<undefined> {
  const exchange = chooseExchange(
    { mechanisms: [mechanism], channelBindings: [] },
    {
      host: "example.com",
      username: "alice",
      secret: { password },
      encrypted: true,
      allowPlaintext: false,
      tlsExporter: undefined,
    },
  );
  const bare = Buffer.from(exchange.initialResponse).toString().slice("n,,".length);
  const first = `r=${/r=(.*)$/.exec(bare)?.[1]}server,s=${salt.toString("base64")},i=${iterations}`;
  const final = Buffer.from(await exchange.respond(Buffer.from(first), signal)).toString();
  const authMessage = `${bare},${first},${final.slice(0, final.lastIndexOf(",p="))}`;
  const serverKey = createHmac(hash, salted).update("Server Key").digest();
  exchange.finish(Buffer.from(`v=${createHmac(hash, serverKey).update(authMessage).digest("base64")}`));
}

/** What the kernel has counted for this thread. */
function threadCpuMs(): number {
  const [runNs = "0"] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
  return Number(runNs) / 1e6;
}

function describe(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2);
  const mean = (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2);
  return `mean ${mean} ms, median ${at(0.5)}, p5 ${at(0.05)}, p95 ${at(0.95)}, max ${at(1)}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
