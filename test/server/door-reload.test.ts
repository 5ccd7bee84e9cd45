/** SIGHUP on the real program in front of a real server with two domains. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Binary, startBinary } from "../support/gateway.ts";
import type { ConfigTables } from "../support/gateway-config.ts";
import { type Prosody, startProsody } from "../support/prosody.ts";
import { startTimeoutMs } from "../support/real-servers.ts";
import { eventually } from "../support/wait.ts";

setDefaultTimeout(30_000);

const alice = "alice@example.com";
const carol = "carol@example.org";

let server: Prosody;
let gateway: Binary;
let both: ConfigTables;
beforeAll(async () => {
  server = await startProsody({
    domains: ["example.com", "example.org"],
    accounts: { [alice]: "secret", [carol]: "secret", "bob@example.com": "secret" },
  });
  const host = { connect: `xmpp://127.0.0.1:${server.c2sPort}`, ca: server.authority };
  both = { hosts: { "example.com": host, "example.org": host } };
  gateway = await startBinary({ ...both, expectedErrors: /must (be|allow)|in force stays/ });
}, startTimeoutMs);
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
}, startTimeoutMs);

async function post(user: string): Promise<[status: number, code: string | undefined]> {
  const response = await gateway.post("/msg/bob@example.com", "hi", { user: `${user}:secret` });
  return [response.status, /"code":"(\w+)"/.exec(await response.text())?.[1]];
}

/** The full JIDs of an account's sessions, by the server's own account. */
async function sessionsOf(jid: string): Promise<string[]> {
  const table = await server.shell("c2s", "show");
  return [...table.matchAll(/\S+@\S+\/\S+/g)].map(([full]) => full).filter((full) => full.startsWith(`${jid}/`));
}

test("a file that is not good is told, and everything goes on as before", async () => {
  expect([await post(alice), await post(carol)]).toEqual([
    [201, undefined],
    [201, undefined],
  ]);
  const before = [await sessionsOf(alice), await sessionsOf(carol)];
  await gateway.reload({ settings: { http: { max_body: "lots" } }, hosts: {} });
  expect(gateway.lines.some(({ msg }) => /\[http\] max_body: must be a size/.test(msg))).toBe(true);
  expect([await post(alice), await post(carol)]).toEqual([
    [201, undefined],
    [201, undefined],
  ]);
  expect([await sessionsOf(alice), await sessionsOf(carol)]).toEqual(before);
});

test("a host that is removed loses its sessions and its users are refused; the other's sessions stay", async () => {
  const before = await sessionsOf(alice);
  expect([before.length, (await sessionsOf(carol)).length]).toEqual([1, 1]);
  const { "example.com": kept } = both.hosts;
  await gateway.reload({ settings: { sessions: { verify: "1m" } }, hosts: kept ? { "example.com": kept } : {} });
  expect(gateway.lines.filter(({ level }) => level === "warn")).toMatchObject([{ setting: "[sessions] verify" }]);
  expect(await post(carol)).toEqual([403, "host_not_allowed"]);
  await eventually(async () => (await sessionsOf(carol)).length === 0, 10_000, "carol's session to be closed");
  expect(await post(alice)).toEqual([201, undefined]);
  expect(await sessionsOf(alice)).toEqual(before);
});

test("a host that comes back may log in again, and who may be written to has changed", async () => {
  const { "example.org": org } = both.hosts;
  const narrow = { ...org, more: { recipients: ["nobody@example.com"] } };
  await gateway.reload({ hosts: { ...both.hosts, "example.org": narrow } });
  expect(await post(carol)).toEqual([403, "recipient_not_allowed"]);
  await gateway.reload(both);
  expect(await post(carol)).toEqual([201, undefined]);
});
