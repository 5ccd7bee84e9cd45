/**
 * The first message of an account, login included (TCP, STARTTLS, SASL, resource, XEP-0198), one account after another:
 * SCRAM with 10,000 iterations beside PLAIN, each at a scripted peer in a process of its own.
 */

import { type PeerProcess, startPeerProcess } from "../../support/peer-process.ts";
import type { Part } from "../options.ts";
import { type Program, startPostMsg } from "../program.ts";
import { differences } from "../results.ts";
import { medianOf } from "../statistics.ts";
import { logInAll, postFrom } from "./log-in-all.ts";
import { withoutGrace } from "./sink.ts";

const perRound = 20;
const warmUps = 10;
const iterations = 10_000;
const kinds = ["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"] as const;

export const cold: Part = {
  name: "cold",
  steps: ({ rounds }) => rounds + 2,
  run: async ({ results, rounds, step }) => {
    const count = warmUps + rounds * perRound;
    step("first messages: the scripted server gets to know its accounts");
    const peers = await Promise.all(
      kinds.map((mechanism) => startPeerProcess(count, { mechanisms: [mechanism], iterations })),
    );
    // A real server has stored what SCRAM needs; the scripted one computes it at an account's first login.
    for (const gateway of await startBefore(peers)) {
      await logInAll(gateway.url, count);
      await gateway.stop();
    }
    const gateways = await startBefore(peers);
    const mediansMs = kinds.map((): number[] => []);
    try {
      for (let round = -1; round < rounds; round++) {
        step("first messages");
        const timesMs = kinds.map((): number[] => []);
        const first = round < 0 ? 0 : warmUps + round * perRound;
        for (let nth = 0; nth < (round < 0 ? warmUps : perRound); nth++) {
          for (const [kind, { url }] of gateways.entries()) {
            timesMs[kind]?.push(await postFrom(url, `user${first + nth}@example.com`));
          }
        }
        if (round >= 0) for (const [kind, times] of timesMs.entries()) mediansMs[kind]?.push(medianOf(times));
      }
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await Promise.all(peers.map((peer) => peer.stop()));
    }
    for (const [kind, name] of kinds.entries()) {
      results.figure("First message of an account", name, "", "p50, ms", mediansMs[kind] ?? []);
    }
    const [, scram = [], plain = []] = mediansMs;
    const name = "first message, SCRAM-SHA-256 of 10,000 iterations above PLAIN, p50";
    results.target(name, " ms", { atMost: 10 }, differences(scram, plain));
  },
};

function startBefore(peers: readonly PeerProcess[]): Promise<Program[]> {
  const settings = { log: { level: "warn" } };
  return Promise.all(peers.map((peer) => startPostMsg({ hosts: withoutGrace(peer.hosts), settings })));
}
