/**
 * Fuzzed server streams: a good server's bytes, changed at any stage of a login, a session or a resumption. No crash, no
 * hang, no leak, nobody else disturbed, and no message taken for sent that the server did not acknowledge.
 */

import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { asFailure, Failure } from "../../src/errors.ts";
import { Session } from "../../src/session/session.ts";
import { createConnect, type XmppHost } from "../../src/xmpp/connect.ts";
import { atOnce } from "../../src/xmpp/log-in.ts";
import { systemLookup } from "../../src/xmpp/lookup.ts";
import { messageStanza } from "../../src/xmpp/stanza.ts";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { type FuzzedServer, type FuzzPlan, fuzzAccount, startFuzzedServer } from "../support/fuzzed-server.ts";
import { type HostilePair, startHostilePair } from "../support/hostile-pair.ts";
import { jid } from "../support/jid.ts";
import { attemptLogin } from "../support/login-attempt.ts";
import { anyMutation, mutate } from "../support/mutation.ts";
import type { Step } from "../support/peer/fault.ts";
import { startPeer } from "../support/peer/peer.ts";
import { streamHeader } from "../support/peer/replies.ts";
import { makeSessionOptions } from "../support/session-options.ts";
import { allowed, makeRandom, sized } from "../support/soak.ts";
import { within } from "../support/wait.ts";

const lanes = 24;
const loginTimeoutMs = 400;
const ackTimeoutMs = 150;
const mostHeapBytes = 64 * 1024 * 1024;

const anyPlan: fc.Arbitrary<FuzzPlan> = fc.record({
  connection: fc.constantFrom(1, 1, 1, 2),
  word: fc.nat(9),
  mutations: fc.array(anyMutation, { maxLength: 3 }),
  pieces: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 }),
  ending: fc.constantFrom("go on", "go on", "go on", "close", "reset", "silence"),
  mechanism: fc.constantFrom("PLAIN", "PLAIN", "PLAIN", "SCRAM-SHA-1"),
  streamManagement: fc.constantFrom(true, true, true, false),
  early: fc.constantFrom(false, false, false, false, true),
});

let authority: Authority;
let pair: HostilePair;
const escaped: unknown[] = [];
const keepEscaped = (error: unknown) => escaped.push(error);
beforeAll(async () => {
  process.on("unhandledRejection", keepEscaped).on("uncaughtException", keepEscaped);
  authority = await makeAuthority();
  // A password is proven anew on a connection of its own, which would look like a disturbance of the other session.
  pair = await startHostilePair({}, { sessions: { verify: "2h" } });
});
afterAll(async () => {
  process.off("unhandledRejection", keepEscaped).off("uncaughtException", keepEscaped);
  await pair[Symbol.asyncDispose]();
});

test.each([
  ["without TLS", sized(100_000, 1_500), false],
  ["in TLS", sized(5_000, 100), true],
] as const)(
  "fuzzed streams %s hurt nobody",
  async (name, count, encrypted) => {
    const seed = makeRandom(`hostile streams ${name}`).integer(0, 2 ** 31);
    const certificate = encrypted ? await authority.issue({ dnsNames: ["example.com"] }) : undefined;
    const tally: Record<string, number> = {};
    let next = 0;
    let heapBefore = 0;
    let plans: readonly FuzzPlan[] = [];
    const batchSize = 5_000;
    const takePlan = (): FuzzPlan | undefined => {
      if (next === count) return undefined;
      if (next % batchSize === 0)
        plans = fc.sample(anyPlan, { seed: seed + next, numRuns: Math.min(batchSize, count) });
      return plans[next++ % batchSize];
    };
    const run = async () => {
      const server = await startFuzzedServer(certificate);
      for (let plan = takePlan(); plan !== undefined; plan = takePlan()) {
        const number = next;
        try {
          const outcomes = await within(10_000, "a fuzzed session to settle", converse(server, plan, encrypted));
          for (const outcome of outcomes) tally[outcome] = (tally[outcome] ?? 0) + 1;
        } catch (cause) {
          throw new Error(`Plan ${number} of seed ${seed}: ${JSON.stringify(plan)}`, { cause });
        }
        if (number % 100 === 0) await pair.expectOthersUntouched();
        if (number === Math.floor(count / 5)) heapBefore = heapBytes();
      }
      await server.stop();
    };
    await Promise.all(Array.from({ length: lanes }, run));
    expect(escaped).toEqual([]);
    expect(heapBytes() - heapBefore).toBeLessThan(mostHeapBytes);
    await pair.expectOthersUntouched();
    // Both good and bad ends are common, or the mutations are not what they should be.
    expect(tally["sent"]).toBeGreaterThan(count / 4);
    expect(tally["protocol_error"]).toBeGreaterThan(count / 20);
  },
  allowed(3_600_000, 60_000),
);

/** One login and three messages; returns how each ended. */
async function converse(server: FuzzedServer, plan: FuzzPlan, encrypted: boolean): Promise<readonly string[]> {
  server.begin(plan);
  const account = jid(fuzzAccount.jid);
  const host: XmppHost = {
    domain: account.domain,
    connect: { hostname: "127.0.0.1", port: server.port, tls: encrypted ? "direct" : "starttls" },
    caCertificates: encrypted ? [authority.certificatePem] : [],
    insecurePlaintext: !encrypted,
    grace: plan.word % 2 === 0 ? 0 : "auto",
  };
  const { login } = createConnect({ keepaliveMs: 60_000, lookup: systemLookup(), findHost: () => host });
  const session = new Session(account, makeSessionOptions({ ackTimeoutMs, loginTimeoutMs, maxPending: 100 }));
  const limit = new AbortController();
  const late = () => limit.abort(new Failure("login_timeout", "The fuzzed login took too long."));
  const timer = setTimeout(late, loginTimeoutMs);
  try {
    const password = fuzzAccount.password;
    const terms = { signal: limit.signal, admit: atOnce };
    session.begin(await within(loginTimeoutMs + 1_000, "a login", login({ account, password }, session.events, terms)));
  } catch (error) {
    return [failureCode(error)];
  } finally {
    clearTimeout(timer);
  }
  const to = jid("bob@example.com");
  const ids = ["one", "two", "three"];
  const sends = ids.map((id) => {
    const stanza = messageStanza({ id, to, type: "chat", body: `${id} größe` });
    return session.send({ id, to, stanza }, limit.signal).then(() => "sent", failureCode);
  });
  const outcomes = await Promise.all(sends);
  expectAcknowledged(outcomes.filter((outcome) => outcome === "sent").length, server, plan);
  server.refuse();
  await within(5_000, "the session to end", session.ended);
  return outcomes;
}

/** No more may count as sent than the server, fuzzed as it was, has said to have taken. */
function expectAcknowledged(sent: number, { said, handled }: FuzzedServer, plan: FuzzPlan): void {
  const counts = [...said.matchAll(/h\s*=\s*(?:'([^']*)'|"([^"]*)")/g)].map(([, one, other]) => Number(one ?? other));
  // After a resumption that failed, a new count begins.
  const acknowledged = plan.connection === 1 ? Math.max(0, ...counts) : counts.reduce((sum, count) => sum + count, 0);
  // Where it has no XEP-0198, or seems to have none, the reply to a ping tells how many messages went before it.
  const echoed = Math.max(0, ...[...said.matchAll(/echo-(\d+)/g)].map(([, count]) => Number(count)));
  const most = Number.isNaN(acknowledged) ? Number.POSITIVE_INFINITY : Math.max(acknowledged, echoed);
  expect(sent).toBeLessThanOrEqual(most);
  if (plan.mutations.length === 0) expect(handled.size).toBeGreaterThanOrEqual(sent);
}

function failureCode(error: unknown): string {
  const failure = asFailure(error);
  // A fault of our own must not pass for one of the server's.
  if (failure.code === "internal_error") throw error;
  return failure.code;
}

function heapBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

test(
  "fuzzed words before the TLS handshake get no password",
  async () => {
    const random = makeRandom("hostile words before TLS");
    const count = sized(3_000, 60);
    const steps: readonly (readonly [Step, string])[] = [
      ["header", streamHeader("example.com", "größe")],
      [
        "features",
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>",
      ],
      ["proceed", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
      ["tls-header", streamHeader("example.com", "größe")],
    ];
    const plans = fc.sample(fc.array(anyMutation, { minLength: 1, maxLength: 2 }), {
      seed: random.integer(0, 2 ** 31),
      numRuns: count,
    });
    let next = 0;
    const run = async () => {
      for (let mutations = plans[next++]; mutations !== undefined; mutations = plans[next++]) {
        const [at, proper] = random.pick(steps);
        const bytes = mutations.reduce<Uint8Array>(mutate, Buffer.from(proper));
        // biome-ignore lint/suspicious/noThenProperty: the word of the peer's scripts for what comes next
        const how = { send: bytes, then: random.pick(["go-on", "go-on", "hang", "close", "reset"] as const) };
        const own = await startPeer({ authority, fault: { at, how } });
        const attempt = attemptLogin({ peer: own, ca: authority, timeoutMs: loginTimeoutMs });
        const outcome = await within(loginTimeoutMs + 1_000, "a login", attempt.outcome);
        expect(outcome).not.toBe("internal_error");
        const inClear = own.connections.flatMap(({ received }) => received.filter(({ encrypted }) => !encrypted));
        const clear = Buffer.concat(inClear.map(({ bytes: piece }) => piece)).toString("latin1");
        expect(clear).not.toMatch(/<auth|<response|urn:ietf:params:xml:ns:xmpp-sasl/);
        own.dropAll();
        await attempt.end();
        await own.stop();
      }
    };
    await Promise.all(Array.from({ length: 8 }, run));
    expect(escaped).toEqual([]);
    await pair.expectOthersUntouched();
  },
  allowed(3_600_000, 60_000),
);
