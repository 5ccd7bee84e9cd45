/**
 * A thousand logins and messages that go wrong, spread over every step and every way, leave nothing behind: no socket on
 * either side, no timer, no session, no message in waiting.
 */

import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { createDeliver } from "../../src/deliver.ts";
import { Failure } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { createCache } from "../../src/session/cache.ts";
import { createConnect } from "../../src/xmpp/connect.ts";
import { messageStanza } from "../../src/xmpp/stanza.ts";
import { badSteps, startBadSteps } from "../support/bad-steps.ts";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { jid } from "../support/jid.ts";
import { lookupAt } from "../support/login-attempt.ts";
import { openThrottle } from "../support/open-throttle.ts";
import type { Peer } from "../support/peer/peer.ts";
import { countTimers } from "../support/timers.ts";
import { eventually } from "../support/wait.ts";

const attempts = 1_000;
const workers = 50;
const deadlineMs = 300;
const graceMs = 1_000;
const quickRows = (["challenge", "ack"] as const).map((step) =>
  badSteps.findIndex((row) => row.step === step && row.how === "reset"),
);

test(`${attempts} attempts that go wrong leave nothing behind`, async () => {
  const authority = await makeAuthority();
  const peers = await startBadSteps(authority, false);
  using timers = countTimers();
  const parts = composeParts(peers, authority);
  const run = async (count: number) => {
    const tookMs: number[] = [];
    let next = 0;
    const work = async () => {
      for (let index = next++; index < count; index = next++) tookMs.push(await parts.attempt(index));
    };
    await Promise.all(Array.from({ length: workers }, work));
    // Two that end quickly, and the count at once: a timer that nobody has cleared would soon run out.
    for (const quick of quickRows) tookMs.push(await parts.attempt(quick));
    return { tookMs, timers: timers.pending };
  };

  // What is made once and kept (threads, the list of authorities) is there after one round over the whole table.
  const first = await run(badSteps.length);
  const before = await settle(peers, parts);
  const second = await run(attempts);
  const after = await settle(peers, parts, before.files);

  expect(second.tookMs).toHaveLength(attempts + quickRows.length);
  expect(Math.max(...first.tookMs, ...second.tookMs)).toBeLessThan(deadlineMs + graceMs);
  expect(after).toEqual({ files: before.files, connections: 0, sessions: 0 });
  expect([first.timers, second.timers]).toEqual([0, 0]);
  await Promise.all(peers.map((peer) => peer.stop()));
}, 60_000);

interface Remains {
  /** Without those of the peers' side. */
  readonly files: number;
  readonly connections: number;
  readonly sessions: number;
}

/** What is open once everything that is about to end has ended: sockets close a turn or two after they are given up. */
async function settle(peers: readonly Peer[], parts: Parts, mostFiles = Number.POSITIVE_INFINITY): Promise<Remains> {
  const noticing = peers.filter((_peer, index) => badSteps[index]?.how !== "stop-reading");
  await Promise.all(noticing.map((peer) => peer.settled(0, 10_000)));
  const countFiles = async () => {
    const open = peers.reduce((sum, { openCount }) => sum + openCount, 0);
    return (await readdir("/proc/self/fd")).length - open;
  };
  let files = await countFiles();
  await eventually(
    async () => {
      const last = files;
      files = await countFiles();
      return files === last && files <= mostFiles;
    },
    10_000,
    `no more than ${mostFiles} open files`,
  );
  // Who does not read does not see the end.
  for (const peer of peers) peer.dropAll();
  await Promise.all(peers.map((peer) => peer.settled(0, 10_000)));
  const connections = peers.reduce((sum, { openCount }) => sum + openCount, 0);
  return { files, connections, sessions: parts.kept() };
}

interface Parts {
  /** Sends a message by way of one row of the table; resolves to how long it took, in milliseconds. */
  attempt(index: number): Promise<number>;
  /** Sessions that their caches still had after they were closed. */
  kept(): number;
}

/** The program without its HTTP side, as src/app.ts composes it. */
function composeParts(peers: readonly Peer[], { certificatePem }: Authority): Parts {
  const rows = new Map(badSteps.map((row, index) => [row.domain, { ...row, port: peers[index]?.port ?? 0 }]));
  const { login, verify } = createConnect({
    keepaliveMs: 60_000,
    lookup: lookupAt({ address: "127.0.0.1:9" }),
    findHost: (domain) => {
      const row = rows.get(domain);
      if (row === undefined) return undefined;
      const connect = { hostname: "127.0.0.1", port: row.port, tls: row.security };
      return { domain, connect, caCertificates: [certificatePem], insecurePlaintext: false, grace: 0 };
    },
  });
  const makeSessions = () =>
    createCache({
      login,
      verify,
      session: { ackTimeoutMs: deadlineMs, maxPending: 100, maxPendingBytes: 100_000 },
      loginTimeoutMs: deadlineMs,
      idleMs: 60_000,
      roomIdleMs: 3_600_000,
      max: 1_000,
      verifyMs: 300_000,
      loginConcurrency: 1_000,
      domains: () => 1,
      serverOf: (domain) => domain,
      throttle: openThrottle,
      log: createLog({ level: "error", format: "json" }),
    });
  let kept = 0;
  return {
    kept: () => kept,
    attempt: async (index) => {
      const row = badSteps[index % badSteps.length];
      // A cache each: it would leave a server in trouble alone for a while, and nothing would be tried.
      const sessions = makeSessions();
      const deliver = createDeliver({
        openSession: sessions.open,
        toStanza: messageStanza,
        maxStanzaBytes: () => 100_000,
      });
      const account = jid(`alice@${row?.domain}`);
      const message = { id: crypto.randomUUID(), to: jid("bob@example.com"), type: "chat", body: "hello" } as const;
      const startedMs = performance.now();
      const outcome = await deliver({
        credentials: { account, password: "secret" },
        message,
        clientAddress: "127.0.0.1",
        waitMs: 0,
        caller: { signal: new AbortController().signal },
      }).catch((error: unknown) => error);
      if (!(outcome instanceof Failure)) throw new Error(`${row?.name} did not fail: ${JSON.stringify(outcome)}`);
      if (outcome.code === "internal_error") throw outcome;
      const tookMs = performance.now() - startedMs;
      await sessions.close();
      kept += sessions.size;
      return tookMs;
    },
  };
}
