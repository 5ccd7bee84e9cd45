/** Real servers that shut down, restart, or do not want us: what the gateway then does, counted in connections. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startEjabberd } from "../support/ejabberd.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { expectProblem } from "../support/gateway-problem.ts";
import { startProsody } from "../support/prosody.ts";
import { type Server, startTimeoutMs } from "../support/real-servers.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const accounts = {
  "alice@example.com": "secret",
  "bob@example.com": "secret",
  "carol@example.com": "secret",
};

interface Case {
  start(): Promise<Server>;
  /** Ends everything with `system-shutdown`. */
  shutDown(server: Server): Promise<void>;
  /** Makes the server end the session that has this full JID with `conflict`. */
  replace(server: Server, jid: string): Promise<Receiver>;
  /** Makes the server refuse the host's next stream, or end the session, with `policy-violation`. */
  turnAgainstUs(server: Server, jid: string, gateway: Gateway): Promise<void>;
}

const login = (server: Server, jid: string, resource?: string): Promise<Receiver> =>
  startReceiver({
    port: server.c2sPort,
    ca: server.authority.certificatePem,
    jid,
    password: "secret",
    presence: jid.startsWith("bob"),
    ...(resource === undefined ? {} : { resource }),
  });

const cases: readonly (readonly [string, Case])[] = [
  [
    "Prosody",
    {
      start: () => startProsody({ accounts }),
      // At SIGTERM, Prosody 0.12.3 closes its connections before it comes to say so.
      shutDown: async (server) => {
        if (server.kind === "prosody") await server.shell("c2s", "closeall", "Bye", "system-shutdown");
        await server.shutDown();
      },
      // The same resource, which only somebody who has seen a message can know.
      replace: (server, jid) => login(server, "alice@example.com", jid.slice(jid.indexOf("/") + 1)),
      turnAgainstUs: async (server, jid) => {
        if (server.kind === "prosody") await server.shell("c2s", "close", jid, "Go away", "policy-violation");
      },
    },
  ],
  [
    "ejabberd",
    {
      start: () =>
        startEjabberd({
          accounts,
          modules: { mod_fail2ban: { c2s_max_auth_failures: 3 } },
          extraConfig: { shaper_rules: { max_user_sessions: 1 } },
        }),
      shutDown: (server) => server.shutDown(),
      replace: (server) => login(server, "alice@example.com"),
      // Its ban is for an address, and a session that is up stays up.
      turnAgainstUs: async (server, jid, gateway) => {
        const statuses: number[] = [];
        for (let attempt = 0; attempt < 3; attempt++) {
          statuses.push((await gateway.post("/msg/bob", "guess", { user: `carol@example.com:${attempt}` })).status);
        }
        expect(statuses).toEqual([401, 401, 503]);
        if (server.kind !== "ejabberd") return;
        const [user, host] = ["alice", "example.com"];
        await server.api("kick_session", { user, host, resource: jid.slice(jid.indexOf("/") + 1), reason: "Go away" });
      },
    },
  ],
];

describe.each(cases)("in front of %s", (_, { start, shutDown, replace, turnAgainstUs }) => {
  let server: Server;
  let proxy: FaultProxy;
  let gateway: Gateway;
  const post = (body: string, user = "alice@example.com:secret") =>
    gateway.post("/msg/bob@example.com", body, { user });
  /** By a message that bob gets. */
  const senderJid = async (): Promise<string> => {
    const bob = await login(server, "bob@example.com");
    const question = crypto.randomUUID();
    expect((await post(question)).status).toBe(201);
    // What earlier tests sent while he was away comes first.
    let message = await bob.nextMessage();
    while (message.body !== question) message = await bob.nextMessage();
    await bob.close();
    return message.from;
  };
  const sessionEnded = (code: string) =>
    gateway.logged((line) => line.msg === "session ended" && line["code"] === code);
  beforeAll(async () => {
    server = await start();
    proxy = await startFaultProxy({ port: server.c2sPort });
  }, startTimeoutMs);
  afterAll(async () => {
    await gateway?.stop();
    await proxy?.stop();
    await server?.stop();
  }, startTimeoutMs);
  beforeEach(async () => {
    await gateway?.stop();
    const address = { ...server, port: proxy.port };
    gateway = await startGateway({
      hosts: { ...hostOf(address), ...hostOf({ ...address, domain: "unserved.example" }) },
    });
  });

  test(
    "a shutdown is told, and after the restart the next message connects at once",
    async () => {
      expect((await post("before")).status).toBe(201);
      const before = proxy.connectionCount;
      await shutDown(server);
      // A server that is in a hurry may close the connection before its system-shutdown is out.
      const ended = await gateway.logged(({ msg }) => msg === "session ended");
      expect(["server_shutdown", "stream_closed"]).toContain(String(ended["code"]));
      expect(proxy.connectionCount).toBe(before);
      expect((await post("meanwhile")).status).toBe(503);
      await server.start();
      const startedMs = performance.now();
      expect((await post("after")).status).toBe(201);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
      expect(proxy.connectionCount).toBe(before + 2);
    },
    startTimeoutMs,
  );

  test(
    "a killed server is found again, too",
    async () => {
      expect((await post("before")).status).toBe(201);
      await server.kill();
      await sessionEnded("stream_closed");
      await server.start();
      expect((await post("after")).status).toBe(201);
    },
    startTimeoutMs,
  );

  test("conflict is not fought: the next request connects, the one after the next conflict waits", async () => {
    const first = await replace(server, await senderJid());
    await sessionEnded("session_replaced");
    const before = proxy.connectionCount;
    expect((await post("back")).status).toBe(201);
    expect(proxy.connectionCount).toBe(before + 1);
    await first.close();
    const second = await replace(server, await senderJid());
    const lines = () => gateway.lines.filter(({ msg, code }) => msg === "session ended" && code === "session_replaced");
    await gateway.logged(() => lines().length === 2);
    const response = await post("again");
    expect(Number(response.headers.get("retry-after"))).toBeWithin(290, 301);
    await expectProblem(response, 503, "session_replaced");
    // One to prove the password: another session may be there because it has changed.
    expect(proxy.connectionCount).toBe(before + 2);
    await second.close();
  });

  test("host-unknown is a configuration error", async () => {
    const before = proxy.connectionCount;
    const response = await post("hi", "alice@unserved.example:secret");
    const problem = await expectProblem(response, 502, "host_unknown");
    expect(problem["detail"]).toContain('"connect" under [hosts."unserved.example"]');
    expect(await gateway.logged(({ msg }) => msg === "login failed: configuration error")).toMatchObject({
      domain: "unserved.example",
    });
    expect(proxy.connectionCount).toBe(before + 1);
  });

  test("policy-violation is answered with silence", async () => {
    await turnAgainstUs(server, await senderJid(), gateway);
    await gateway.logged(({ msg }) => msg === "session ended");
    // Where it comes at the next connection, this is the one that gets it.
    await expectProblem(await post("one"), 503, "server_policy");
    const before = proxy.connectionCount;
    for (const body of ["two", "three"]) {
      const response = await post(body);
      expect(Number(response.headers.get("retry-after"))).toBeWithin(50, 61);
      await expectProblem(response, 503, "server_policy");
    }
    expect(proxy.connectionCount).toBe(before);
  });
});
