/** Through Prosody, beside the raw client, and beside the modules inside of it when PROSODY_MODULES says where they are. */

import { findFreePort } from "../../support/free-port.ts";
import { type Prosody, startProsody } from "../../support/prosody.ts";
import { hostsOf } from "../../support/real-servers.ts";
import { type Contender, valuesOf } from "../compare.ts";
import { overHttp, rawClient } from "../load/contenders.ts";
import { logInRecipient } from "../load/recipient.ts";
import type { Bench, Part } from "../options.ts";
import { startPostMsg } from "../program.ts";
import { differences, ratios } from "../results.ts";
import { type Level, measureThrough, stepsThrough } from "./through-server.ts";

const important: readonly Level[] = [64];
const stores = ["plain", "hashed"] as const;
type Store = (typeof stores)[number];
const modules = ["mod_post_msg", "mod_rest"] as const;
const accounts = { "alice@example.com": "secret", "bob@example.com": "secret", "carol@example.com": "secret" };

export const prosody: Part = {
  name: "prosody",
  steps: (options) => stores.length * stepsThrough(options, options.prosodyModules === undefined ? 2 : 4, important),
  run: async (bench) => {
    if (bench.prosodyModules === undefined) {
      bench.results.note("mod_post_msg and mod_rest were left out: PROSODY_MODULES names no folder with them.");
    }
    for (const store of stores) await measureStore(bench, store);
  },
};

async function measureStore(bench: Bench, store: Store): Promise<void> {
  const { results } = bench;
  const httpPort = await findFreePort();
  const server = await startProsody({ accounts, ...withModules(store, httpPort, bench.prosodyModules) });
  const recipient = await logInRecipient(server, "bob@example.com");
  const gateway = await startPostMsg({ hosts: hostsOf(server), settings: { log: { level: "warn" } } });
  try {
    const part = `Prosody, ${store} passwords`;
    const found = await measureThrough(bench, part, "prosody", important, (connections) => [
      overHttp("post-msg", {
        load: { url: `${gateway.url}/bob@example.com`, connections },
        processes: { "post-msg": gateway.pid, prosody: server.pid },
        recipient,
      }),
      rawClient("raw client", { server, jid: "carol@example.com", outstanding: connections, recipient }),
      ...(bench.prosodyModules === undefined ? [] : inside(server, httpPort, connections, recipient)),
    ]);
    const rate = (who: string) => valuesOf(found.get(64)?.get(who), ({ perSecond }) => perSecond);
    const p50 = (who: string) => valuesOf(found.get(1)?.get(who), ({ p50Ms }) => p50Ms);
    const ours = rate("post-msg");
    if (store === "hashed") {
      const [name, unit] = ["Prosody, 64 connections", " of the rate"];
      results.target(`${name}: post-msg / raw client`, unit, { atLeast: 0.97 }, ratios(ours, rate("raw client")));
      const tail = valuesOf(found.get(64)?.get("post-msg"), ({ p50Ms, p99Ms }) => p99Ms / p50Ms);
      results.target("Prosody, 64 connections: p99 / p50", "", { atMost: 3 }, tail);
      const above = differences(p50("post-msg"), p50("raw client"));
      results.target("Prosody, 1 connection: p50 above the raw client's", " ms", { atMost: 1 }, above);
    }
    if (bench.prosodyModules !== undefined) {
      const atLeast = store === "plain" ? 1.8 : 25;
      const name = `Prosody, 64 connections, ${store} passwords: post-msg / mod_post_msg`;
      results.target(name, " ×", { atLeast }, ratios(ours, rate("mod_post_msg")));
    }
  } finally {
    await gateway.stop();
    await recipient.close();
    await server.stop();
  }
}

function withModules(store: Store, httpPort: number, folder: string | undefined) {
  const lines = [
    `authentication = "internal_${store}"`,
    // What Debian's configuration logs.
    'log = { { levels = { min = "info" }, to = "console" } }',
  ];
  if (folder === undefined) return { extraConfig: lines.join("\n") };
  lines.push(
    `plugin_paths = { ${JSON.stringify(folder)} }`,
    `http_ports = { ${httpPort} }; http_interfaces = { "127.0.0.1" }; http_default_host = "example.com"`,
  );
  return { extraConfig: lines.join("\n"), modules: ["post_msg", "rest"] };
}

function inside(
  server: Prosody,
  httpPort: number,
  connections: number,
  recipient: Awaited<ReturnType<typeof logInRecipient>>,
): readonly Contender[] {
  const origin = `http://127.0.0.1:${httpPort}`;
  const urls = {
    mod_post_msg: `${origin}/msg/bob@example.com`,
    mod_rest: `${origin}/rest/message/chat/bob@example.com`,
  };
  // mod_rest takes the user's name without the domain.
  const users = { mod_post_msg: "alice@example.com:secret", mod_rest: "alice:secret" };
  return modules.map((name) =>
    overHttp(name, {
      load: { url: urls[name], users: users[name], connections },
      processes: { prosody: server.pid },
      recipient,
    }),
  );
}
