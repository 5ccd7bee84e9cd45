/**
 * Thousands of wrong passwords from many addresses, at an ejabberd with the ban module that Debian's configuration
 * enables (20 failures: an hour's ban for the gateway and everybody behind it): nobody is banned, and who was known
 * before gets every message through.
 */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Ejabberd, startEjabberd } from "../support/ejabberd.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type HttpAnswer, loopbackAddress, postFrom } from "../support/http-from.ts";
import { hostsOf, startBob, startTimeoutMs } from "../support/real-servers.ts";
import { allowed, isSoak, sized } from "../support/soak.ts";

const requests = sized(10_000, 500);
const atATime = 50;
/** mod_fail2ban's own default. */
const banAfter = 20;

setDefaultTimeout(allowed(600_000, 60_000));

let server: Ejabberd;
beforeAll(async () => {
  const victims = Array.from({ length: 25 }, (_, index) => [`victim${index}@example.com`, "secret"]);
  const accounts = ["alice", "bob", "carol"].map((name) => [`${name}@example.com`, "secret"]);
  server = await startEjabberd({ accounts: Object.fromEntries([...accounts, ...victims]), debianLimits: true });
}, startTimeoutMs);
afterAll(() => server?.stop(), startTimeoutMs);

const rows = [
  ["one account", () => "alice@example.com", "5m"],
  ["50 accounts, half of which exist", (nth: number) => `victim${nth % 50}@example.com`, "5m"],
  [
    "50 accounts, while a known password has to be proven again and again",
    (nth: number) => `victim${nth % 50}@example.com`,
    "1s",
  ],
] as const;

test.each(rows)("nobody is banned for wrong passwords of %s", async (_, accountOf, verify) => {
  await using gateway = await startGateway({
    hosts: hostsOf(server),
    settings: { sessions: { verify }, delivery: { ack_timeout: "30s" } },
  });
  const failuresBefore = countFailures(server);
  expect((await good(gateway)).status).toBe(201);

  const attack = startAttack(gateway, accountOf);
  const goodStatuses = new Map<number, number>();
  while (!attack.over) {
    const { status } = await good(gateway);
    goodStatuses.set(status, (goodStatuses.get(status) ?? 0) + 1);
    await Bun.sleep(20);
  }
  const answers = await attack.answers;
  const cold = await postFrom({ port: gateway.port, user: "carol@example.com:secret", body: "hi" });
  await using _bobAtTheSameAddress = await notBanned(server);

  expect([...goodStatuses.keys()]).toEqual([201]);
  expect(answers.length).toBe(requests);
  expect(answers.filter(({ status }) => status !== 401 && status !== 429)).toEqual([]);
  const failures = countFailures(server) - failuresBefore;
  expect(failures).toBeGreaterThan(0);
  if (verify === "5m") {
    expect(failures).toBeLessThan(banAfter / 2);
    expectPause(cold);
    const warnings = gateway.lines.filter(({ msg }) => /mod_fail2ban/.test(msg));
    expect(warnings).toMatchObject([{ level: "warn", msg: expect.stringMatching(/leave this machine alone/) }]);
  }
  if (isSoak) {
    const good = [...goodStatuses].map(([status, count]) => `${count} x ${status}`).join(", ");
    process.stdout.write(`${requests} guesses, ${failures} of them tried; beside them ${good}\n`);
  }
  expect(server.log()).not.toMatch(/banned|will be unblocked/i);
});

test("a password that is not known yet waits as long as the answer says, and not a second more", async () => {
  await using gateway = await startGateway({ hosts: hostsOf(server) });
  await startAttack(gateway, () => "victim1@example.com", 8).answers;
  const cold = () => postFrom({ port: gateway.port, user: "carol@example.com:secret", body: "hi" });
  const paused = await cold();
  expectPause(paused);
  if (!isSoak) return;
  await Bun.sleep((paused.retryAfterSeconds ?? 0) * 1000 - 1000);
  expect((await cold()).status).toBe(429);
  await Bun.sleep(1000);
  expect((await cold()).status).toBe(201);
});

function good(gateway: Gateway): Promise<HttpAnswer> {
  return postFrom({ port: gateway.port, user: "bob@example.com:secret", body: "still here", path: "/msg/bob/nowhere" });
}

interface Attack {
  readonly over: boolean;
  readonly answers: Promise<readonly HttpAnswer[]>;
}

function startAttack(gateway: Gateway, accountOf: (nth: number) => string, count = requests): Attack {
  let next = 0;
  let over = false;
  const answers: HttpAnswer[] = [];
  const guess = async () => {
    for (;;) {
      const nth = next++;
      if (nth >= count) return;
      const user = `${accountOf(nth)}:guess ${nth}`;
      answers.push(await postFrom({ port: gateway.port, user, body: "in", from: loopbackAddress(nth) }));
    }
  };
  const done = Promise.all(Array.from({ length: atATime }, guess)).then(() => {
    over = true;
    return answers;
  });
  return {
    get over() {
      return over;
    },
    answers: done,
  };
}

/** A login of our own, from the gateway's address. */
async function notBanned(at: Ejabberd): Promise<{ [Symbol.asyncDispose](): Promise<void> }> {
  const bob = await startBob(at);
  return { [Symbol.asyncDispose]: () => bob.close() };
}

function expectPause({ status, code, retryAfterSeconds }: HttpAnswer): void {
  expect([status, code]).toEqual([429, "logins_paused"]);
  expect(retryAfterSeconds).toBeGreaterThan(0);
  expect(retryAfterSeconds).toBeLessThanOrEqual(3600);
}

/** By the server's own log. */
function countFailures(at: Ejabberd): number {
  return at.log().match(/Failed c2s \S+ authentication/g)?.length ?? 0;
}
