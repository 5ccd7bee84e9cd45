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
import type { Peer } from "../support/peer/peer.ts";
import { countTimers } from "../support/timers.ts";
import { eventually } from "../support/wait.ts";

const attempts = 1_000;
const workers = 50;
const deadlineMs = 300;
const graceMs = 1_000;

test(`${attempts} attempts that go wrong leave nothing behind`, async () => {
  const authority = await makeAuthority();
  const peers = await startBadSteps(authority, false);
  using timers = countTimers();
  const parts = composeParts(peers, authority);
  const run = async (count: number): Promise<readonly number[]> => {
    const tookMs: number[] = [];
    let next = 0;
    const work = async () => {
      for (let index = next++; index < count; index = next++) tookMs.push(await parts.attempt(index));
    };
    await Promise.all(Array.from({ length: workers }, work));
    return tookMs;
  };

  // What is made once and kept (threads, the list of authorities) is there after one round over the whole table.
  await run(badSteps.length);
  const before = await settle(peers, parts, timers);
  const tookMs = await run(attempts);
  const after = await settle(peers, parts, timers, before.files);

  expect(tookMs).toHaveLength(attempts);
  expect(Math.max(...tookMs)).toBeLessThan(deadlineMs + graceMs);
  expect(after).toEqual(before);
  expect(after).toMatchObject({ sessions: 0, connections: 0 });
  await parts.close();
  expect(timers.pending).toBe(0);
  await Promise.all(peers.map((peer) => peer.stop()));
}, 60_000);

interface Remains {
  readonly files: number;
  readonly connections: number;
  readonly timers: number;
  readonly sessions: number;
}

/** What is open once everything that is about to end has ended: sockets close a turn or two after they are given up. */
async function settle(
  peers: readonly Peer[],
  parts: Parts,
  timers: { readonly pending: number },
  mostFiles = Number.POSITIVE_INFINITY,
): Promise<Remains> {
  const noticing = peers.filter((_peer, index) => badSteps[index]?.how !== "stop-reading");
  await Promise.all(noticing.map((peer) => peer.settled(0, 10_000)));
  // Who does not read does not see the end; the peer's own side of those is dropped for it.
  for (const peer of peers) peer.dropAll();
  await Promise.all(peers.map((peer) => peer.settled(0, 10_000)));
  const countFiles = async () => (await readdir("/proc/self/fd")).length;
  let files = await countFiles();
  await eventually(
    async () => {
      const last = files;
      files = await countFiles();
      return files === last && files <= mostFiles;
    },
    10_000,
    `no more than ${mostFiles} open files (now ${files})`,
  );
  const connections = peers.reduce((sum, { openCount }) => sum + openCount, 0);
  return { files, connections, timers: timers.pending, sessions: parts.size() };
}

interface Parts {
  /** Sends a message by way of one row of the table; resolves to how long it took, in milliseconds. */
  attempt(index: number): Promise<number>;
  size(): number;
  close(): Promise<void>;
}

/** The program without its HTTP side, as src/app.ts composes it. */
function composeParts(peers: readonly Peer[], { certificatePem }: Authority): Parts {
  const rows = new Map(badSteps.map((row, index) => [row.domain, { ...row, port: peers[index]?.port ?? 0 }]));
  const { login, verify } = createConnect({
    lookup: lookupAt({ address: "127.0.0.1:9" }),
    findHost: (domain) => {
      const row = rows.get(domain);
      if (row === undefined) return undefined;
      const connect = { hostname: "127.0.0.1", port: row.port, tls: row.security };
      return { domain, connect, caCertificates: [certificatePem], insecurePlaintext: false };
    },
  });
  const sessions = createCache({
    login,
    verify,
    session: { ackTimeoutMs: deadlineMs, maxPending: 100, maxPendingBytes: 100_000 },
    loginTimeoutMs: deadlineMs,
    idleMs: 60_000,
    maxSessions: 1_000,
    log: createLog({ level: "error", format: "json" }),
  });
  const deliver = createDeliver({ openSession: sessions.open, toStanza: messageStanza, maxStanzaBytes: 100_000 });
  return {
    size: () => sessions.size,
    close: sessions.close,
    attempt: async (index) => {
      const row = badSteps[index % badSteps.length];
      const account = jid(`alice@${row?.domain}`);
      const message = { id: crypto.randomUUID(), to: jid("bob@example.com"), type: "chat", body: "hello" } as const;
      const startedMs = performance.now();
      const outcome = await deliver({
        credentials: { account, password: "secret" },
        message,
        signal: new AbortController().signal,
      }).catch((error: unknown) => error);
      if (!(outcome instanceof Failure)) throw new Error(`${row?.name} did not fail: ${JSON.stringify(outcome)}`);
      if (outcome.code === "internal_error") throw outcome;
      return performance.now() - startedMs;
    },
  };
}
