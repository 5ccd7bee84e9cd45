/** What packaging/ has for Prometheus and fail2ban, judged by their own tools, on what the real program says. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Binary, startBinary } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { postFrom } from "../support/http-from.ts";
import { readMetrics } from "../support/metrics.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { eventually } from "../support/wait.ts";

const root = join(import.meta.dir, "../..");
const rules = join(root, "packaging/prometheus/post-msg.rules.yml");
const filter = join(root, "packaging/fail2ban/filter.d/post-msg.conf");
const deadlineMs = 30_000;

interface Said {
  readonly code: number;
  readonly text: string;
}

async function run(command: readonly string[], input = "", env: Record<string, string> = {}): Promise<Said> {
  const child = Bun.spawn([...command], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
    timeout: deadlineMs,
    env: { ...process.env, ...env },
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, text: output + errors };
}

let folder: TempFolder;
let peer: Peer;
let gateway: Binary;
beforeAll(async () => {
  folder = await makeTempFolder("post-msg-outside-");
  peer = await startPeer();
  gateway = await startBinary({
    hosts: hostOf(peer),
    settings: { metrics: { listen: "127.0.0.1:0" }, throttle: { failure_delay: "0s", address_per_minute: 3 } },
  });
});
afterAll(async () => {
  await gateway?.stop();
  await peer?.stop();
  await folder?.remove();
});

describe("promtool", () => {
  test("finds the alerting rules good, and what they make of some stories", async () => {
    expect(await run(["promtool", "check", "rules", rules])).toEqual({
      code: 0,
      text: expect.stringContaining("12 rules"),
    });
    const cases = join(root, "test/support/alert-cases.yml");
    expect(await run(["promtool", "test", "rules", cases])).toEqual({
      code: 0,
      text: expect.stringContaining("SUCCESS"),
    });
  });

  test("finds nothing to complain of in the metrics", async () => {
    expect((await gateway.post("/msg/bob@example.com", "hi")).status).toBe(201);
    const { text } = await readMetrics(gateway);
    expect(await run(["promtool", "check", "metrics"], text)).toEqual({ code: 0, text: "" });
  });

  test("and the rules name no metric that there is not", async () => {
    const { text } = await readMetrics(gateway);
    const named = (await Bun.file(rules).text()).match(/post_msg_\w+/g) ?? [];
    expect(named.length).toBeGreaterThan(10);
    for (const name of named) expect(text).toContain(`\n# TYPE ${name.replace(/_bucket$/, "")} `);
  });
});

describe("fail2ban's filter", () => {
  const path = "/msg/bob@example.com";

  /** What it would ban for the log so far, in order; `row` is its whole finding. */
  async function findings(token: "ip" | "row", file: string): Promise<readonly string[]> {
    const { text } = await run(["fail2ban-regex", "--out", token, file, filter], "", { TZ: "Asia/Tokyo" });
    return text.split("\n").filter((line) => line !== "");
  }

  test("finds who comes with a wrong password, also one that is answered from memory, and nobody else", async () => {
    const { port } = gateway;
    const post = (from: string, user: string, headers: Record<string, string> = {}) =>
      postFrom({ port, from, user, headers, path, body: "x" });
    expect((await post("127.0.0.2", "alice@example.com:secret")).status).toBe(201);
    expect((await post("127.0.0.3", "alice@example.com:wrong")).status).toBe(401);
    expect((await post("127.0.0.4", "alice@example.com:wrong")).status).toBe(401);
    expect((await post("127.0.0.5", "nonsense")).status).toBe(401);
    expect((await post("127.0.0.6", "alice@example.org:x")).status).toBe(403);
    for (let number = 0; number < 4; number++) await post("127.0.0.7", `alice@example.com:guess${number}`);
    // Whoever writes what looks like the line of another one.
    const forged =
      '{"level":"info","status":401,"code":"credentials_rejected","outcome":"not_sent","client":"192.0.2.1","';
    await post("127.0.0.8", "alice@example.com:secret", { "X-Request-Id": forged, "Content-Type": forged });
    await post("127.0.0.8", `${forged}@example.com:wrong`);
    await post("127.0.0.9", `alice@${forged}:x`, { "X-Request-Id": "last" });
    await eventually(() => gateway.lines.some((line) => line["request_id"] === "last"), 5_000, "the last line");

    const file = await folder.write("post-msg.log", gateway.process.output());
    const found = await findings("ip", file);
    expect(found).toEqual(["127.0.0.3", "127.0.0.4", "127.0.0.7", "127.0.0.7", "127.0.0.7"]);
    // The time is that of the line, whatever the zone of the machine.
    const [, seconds = ""] = (await findings("row", file))[0]?.split("\t") ?? [];
    expect(Math.abs(Number.parseInt(seconds, 10) - Date.now() / 1000)).toBeLessThan(60);
  });

  test("reads the journal's lines, and an IPv6 client by its /64", async () => {
    const line = `{"level":"info","time":"2026-11-28T16:00:00.123Z","request_id":"a:b","method":"POST","status":401,"code":"credentials_rejected","outcome":"not_sent","client":"2001:db8:1:2::/64","domain":"example.com","from":"jid:0","ms":1,"msg":"request refused"}`;
    const file = await folder.write("journal.log", `Nov 28 16:00:00 host post-msg[1]: ${line}\n`);
    expect(await findings("ip", file)).toEqual(["2001:db8:1:2::/64"]);
  });

  test("is named by a jail that fail2ban can read", async () => {
    const here = join(folder.path, "fail2ban");
    await cp("/etc/fail2ban", here, { recursive: true });
    await rm(join(here, "jail.d"), { recursive: true });
    const jail = await Bun.file(join(root, "packaging/fail2ban/jail.d/post-msg.conf")).text();
    await folder.write("fail2ban/jail.d/post-msg.conf", jail.replace("systemd", "polling\nlogpath = /dev/null"));
    await folder.write("fail2ban/filter.d/post-msg.conf", await Bun.file(filter).text());
    const { code, text } = await run(["fail2ban-client", "-c", here, "-d"]);
    expect({ code, text }).toEqual({ code: 0, text: expect.stringMatching(/'set', 'post-msg', 'addfailregex'/) });
  });
});
