/** Through ejabberd, beside its own mod_http_api (send_message, by a user with a SCRAM password) and the raw client. */

import { startEjabberd } from "../../support/ejabberd.ts";
import { hostsOf } from "../../support/real-servers.ts";
import { valuesOf } from "../compare.ts";
import { overHttp, rawClient, usualBody } from "../load/contenders.ts";
import { logInRecipient } from "../load/recipient.ts";
import type { Part } from "../options.ts";
import { startPostMsg } from "../program.ts";
import { differences, ratios } from "../results.ts";
import { type Level, measureThrough, stepsThrough } from "./through-server.ts";

const important: readonly Level[] = [256];
/** What `grace = "auto"` is there. */
const graceMs = 10;
const accounts = { "alice@example.com": "secret", "bob@example.com": "secret", "carol@example.com": "secret" };
const message = { type: "chat", from: "alice@example.com", to: "bob@example.com", subject: "", body: usualBody };

export const ejabberd: Part = {
  name: "ejabberd",
  steps: (options) => stepsThrough(options, 3, important),
  run: async (bench) => {
    const { results } = bench;
    const server = await startEjabberd({ accounts });
    const recipient = await logInRecipient(server, "bob@example.com");
    const gateway = await startPostMsg({ hosts: hostsOf(server), settings: { log: { level: "warn" } } });
    try {
      const found = await measureThrough(bench, "ejabberd, SCRAM passwords", "ejabberd", important, (connections) => [
        overHttp("post-msg", {
          load: { url: `${gateway.url}/bob@example.com`, connections },
          processes: { "post-msg": gateway.pid, ejabberd: server.pid },
          recipient,
        }),
        rawClient("raw client", { server, jid: "carol@example.com", outstanding: connections, recipient }),
        overHttp("mod_http_api", {
          load: {
            url: `${server.apiUrl}/send_message`,
            connections,
            contentType: "application/json",
            body: JSON.stringify(message),
          },
          processes: { ejabberd: server.pid },
          recipient,
        }),
      ]);
      const rate = (who: string) => valuesOf(found.get(256)?.get(who), ({ perSecond }) => perSecond);
      const times = ratios(rate("post-msg"), rate("mod_http_api"));
      results.target("ejabberd, 256 connections: post-msg / mod_http_api", " ×", { atLeast: 8 }, times);
      const p50 = (who: string) => valuesOf(found.get(1)?.get(who), ({ p50Ms }) => p50Ms);
      const above = differences(p50("post-msg"), p50("raw client"));
      const name = "ejabberd, 1 connection: p50 above the raw client's (grace 10 ms)";
      results.target(name, " ms", { atMost: graceMs + 1 }, above);
    } finally {
      await gateway.stop();
      await recipient.close();
      await server.stop();
    }
  },
};
