/** A message that a real server ends the stream over fails alone; its neighbours arrive once. */

import { expect, test } from "bun:test";
import { codeOf } from "../support/account-traffic.ts";
import { startGateway } from "../support/gateway.ts";
import { type LaneReply, sendTraffic } from "../support/http-lanes.ts";
import { hostsOf, logInReceiver, realServers } from "../support/real-servers.ts";
import { sized } from "../support/soak.ts";
import { eventually } from "../support/wait.ts";

const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
const rounds = sized(20, 3);
const count = 9;
const poison = 4;
/** Written as "&lt;", more than either server takes in one stanza by default, which is 256 KiB. */
const poisonText = "<".repeat(66_000);

test.concurrent.each(realServers)(
  "a stanza that is too large for %s, which post-msg was not told, is a 413, and its neighbours are sent once",
  async (_name, startServer) => {
    await using ending = new AsyncDisposableStack();
    const server = await startServer({ accounts, prosody: { extraConfig: "c2s_stanza_size_limit = 200000" } });
    ending.defer(() => server.stop());
    const gateway = await startGateway({
      hosts: hostsOf(server, { max_stanza: "1MiB" }),
      settings: { http: { max_body: "128KiB" }, delivery: { ack_timeout: "20s" } },
    });
    ending.defer(() => gateway.stop());
    const bob = await logInReceiver(server, "bob@example.com");
    ending.defer(() => bob.close());
    for (let round = 0; round < rounds; round++) {
      const replies: LaneReply[] = [];
      await sendTraffic({
        port: gateway.port,
        lanes: count,
        count,
        body: (number) => `${round} ${number} ${number === poison ? poisonText : ""}`,
        answered: (number, reply) => {
          replies[number] = reply;
        },
      });
      const codes = replies.map(({ status, json }) => `${status} ${codeOf(json)}`.trim());
      expect(codes).toEqual(codes.map((_code, number) => (number === poison ? "413 stanza_too_large" : "201")));
      await eventually(() => bob.waiting.length >= (count - 1) * (round + 1), 5_000, "the neighbours");
    }
    const texts = bob.waiting.map(({ body }) => body?.trim());
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts.length).toBe((count - 1) * rounds);
  },
  120_000,
);
