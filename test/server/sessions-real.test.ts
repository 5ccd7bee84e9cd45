/** One account, one session; many accounts; and passwords that change: the real app in front of real servers. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Ejabberd } from "../support/ejabberd.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../support/gateway.ts";
import { countSessions, hostsOf, realServers, type Server, startTimeoutMs } from "../support/real-servers.ts";

setDefaultTimeout(60_000);

const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
const crowd = 100;
const manyAtATime = { server_failures: 1000, server_failures_burst: 1000 };
/** How soon after the change on the server an old password has to be refused. */
const slackMs = { prosody: 2_000, ejabberd: 5_000 };
const verifyMs = 2_000;

describe.each(realServers)("behind %s", (_, startServer) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ accounts });
  }, startTimeoutMs);
  afterAll(() => server?.stop(), startTimeoutMs);

  const start = (settings: NonNullable<GatewayOptions["settings"]> = {}): Promise<Gateway> =>
    startGateway({ hosts: hostsOf(server), settings });
  const send = (gateway: Gateway, user: string, text = "hi") =>
    gateway.post("/msg/bob@example.com", text, { user }).then(({ status }) => status);

  test("500 parallel first requests of one account make one session, by the server's own count", async () => {
    await using gateway = await start();
    const before = await countSessions(server, "alice");
    const statuses = await Promise.all(
      Array.from({ length: 500 }, (_, index) => send(gateway, "alice@example.com:secret", `${index}`)),
    );
    expect(new Set(statuses)).toEqual(new Set([201]));
    expect(await countSessions(server, "alice")).toBe(before + 1);
  });

  test.each([
    ["as many at a time as may fail there", {}],
    ["login_concurrency at a time", manyAtATime],
  ])(`${crowd} accounts that log in at once are all served, %s`, async (_, throttle) => {
    const users = Array.from({ length: crowd }, (_, index) => `crowd${index}`);
    await registerCrowd(server, users);
    await using gateway = await start({ throttle, sessions: { login_timeout: "60s" } });
    const statuses = await Promise.all(users.map((user) => send(gateway, `${user}@example.com:secret`)));
    expect(new Set(statuses)).toEqual(new Set([201]));
    for (const user of users.slice(0, 2)) expect(await countSessions(server, user)).toBe(1);
  });

  test("after a change of the password, the old one is refused soon and the new one works at the first try", async () => {
    await server.register("fickle@example.com", "old");
    await using gateway = await start({ sessions: { verify: `${verifyMs}ms` } });
    expect(await send(gateway, "fickle@example.com:old")).toBe(201);
    await server.changePassword("fickle@example.com", "new");
    const changedMs = performance.now();
    expect(await send(gateway, "fickle@example.com:new")).toBe(201);
    await refusedWithin(gateway, "fickle@example.com:old", changedMs);
    expect(await send(gateway, "fickle@example.com:new")).toBe(201);
    expect(await countSessions(server, "fickle")).toBe(1);
  });

  test("after a change of the password, the old one is refused soon also when nobody comes with the new one", async () => {
    await server.register("forgetful@example.com", "old");
    await using gateway = await start({ sessions: { verify: `${verifyMs}ms` } });
    expect(await send(gateway, "forgetful@example.com:old")).toBe(201);
    await server.changePassword("forgetful@example.com", "new");
    await refusedWithin(gateway, "forgetful@example.com:old", performance.now());
    expect(await send(gateway, "forgetful@example.com:new")).toBe(201);
  });

  test("after an account is deleted, its password is refused soon", async () => {
    await server.register("gone@example.com", "old");
    await using gateway = await start({ sessions: { verify: `${verifyMs}ms` } });
    expect(await send(gateway, "gone@example.com:old")).toBe(201);
    await server.deleteAccount("gone@example.com");
    await refusedWithin(gateway, "gone@example.com:old", performance.now());
    expect(await send(gateway, "alice@example.com:secret")).toBe(201);
  });

  /** Asks again and again, as a cron job would; once it is refused it stays so. */
  async function refusedWithin(gateway: Gateway, user: string, sinceMs: number): Promise<void> {
    const limitMs = server.kind === "prosody" ? slackMs.prosody : verifyMs + slackMs.ejabberd;
    let status = await send(gateway, user);
    // A message that is on its way when the server ends the session may have been sent.
    while ([201, 504].includes(status) && performance.now() - sinceMs < limitMs) {
      await Bun.sleep(20);
      status = await send(gateway, user);
    }
    expect(status).toBe(401);
    expect(performance.now() - sinceMs).toBeLessThan(limitMs);
    expect(await send(gateway, user)).toBe(401);
  }
});

test(
  "whoever an administrator of ejabberd kicks is left alone for a minute, and nobody else with him",
  async () => {
    const [, startEjabberd] = realServers.find(([name]) => name === "ejabberd") ?? [];
    const server = await startEjabberd?.({ accounts });
    if (server?.kind !== "ejabberd") throw new Error("There is no ejabberd.");
    try {
      await using gateway = await startGateway({ hosts: hostsOf(server) });
      const send = (name: string) => gateway.post("/msg/alice", "hi", { user: `${name}@example.com:secret` });
      expect((await send("alice")).status).toBe(201);
      await kick(server, "alice");
      await gateway.logged(({ msg }) => msg === "session ended");
      expect((await send("bob")).status).toBe(201);
      const wrong = await gateway.post("/msg/bob", "hi", { user: "alice@example.com:guess" });
      expect(wrong.status).toBe(401);
    } finally {
      await server.stop();
    }
  },
  startTimeoutMs,
);

async function kick(server: Ejabberd, user: string): Promise<void> {
  await server.api("kick_user", { user, host: server.domain });
}

/** prosodyctl takes a third of a second for each; a file with the password does as well. */
async function registerCrowd(server: Server, users: readonly string[]): Promise<void> {
  if (server.kind === "ejabberd") {
    const known = await server.api("registered_users", { host: server.domain });
    const missing = users.filter((user) => !Array.isArray(known) || !known.includes(user));
    for (const user of missing) await server.register(`${user}@${server.domain}`, "secret");
    return;
  }
  const folder = join(server.folder, "data", server.domain.replaceAll(".", "%2e"), "accounts");
  await mkdir(folder, { recursive: true });
  const record = 'return {\n\t["password"] = "secret";\n};\n';
  await Promise.all(users.map((user) => Bun.write(join(folder, `${user}.dat`), record)));
}
