/** Servers that go wrong at one step each, in each of the ways in which a connection can go wrong, on every connection. */

import type { Authority } from "./ca.ts";
import type { ConfigTables } from "./gateway-config.ts";
import { steps as allSteps, type Step } from "./peer/fault.ts";
import { type Peer, startPeer } from "./peer/peer.ts";

/** Those of every connection: nothing is resumed here, and the end comes when all is done. */
const steps = allSteps.filter((step) => step !== "resume" && step !== "end");
const ways = ["hang", "stop-reading", "close", "end", "reset", "garbage"] as const;
/** XEP-0368: there is TLS before the first header, so that these are spoken in it. */
const directSteps = ["tcp", "tls", "header", "features"] as const satisfies readonly Step[];

export interface BadStep {
  readonly name: string;
  readonly step: (typeof steps)[number];
  readonly how: (typeof ways)[number];
  readonly security: "starttls" | "direct";
  readonly domain: string;
}

/** The table, for a test each. */
export const badSteps: readonly BadStep[] = [
  ...steps.map((step) => ({ step, security: "starttls" }) as const),
  ...directSteps.map((step) => ({ step, security: "direct" }) as const),
].flatMap(({ step, security }, row) =>
  ways.map((how, column) => ({
    name: `${how} at "${step}" (${security})`,
    step,
    how,
    security,
    domain: `step-${row}-${column}.example`,
  })),
);

/** The bytes of a message have left by then, and nobody can tell what became of it. */
export function isAfterWrite({ step }: BadStep): boolean {
  return step === "message" || step === "ack" || step === "ping";
}

/** A server for each row of the table, in its order. */
export function startBadSteps(authority: Authority, record = true): Promise<readonly Peer[]> {
  return Promise.all(
    badSteps.map(({ step, how, security, domain }) =>
      startPeer({
        domain,
        authority,
        security,
        record,
        accounts: { [`alice@${domain}`]: "secret" },
        // Only without XEP-0198 is there a ping to be answered.
        streamManagement: step !== "ping",
        // With it, what is lost on one connection is saved on the next: see acks-*.test.ts.
        resumption: "not-offered",
        fault: { at: step, how },
      }),
    ),
  );
}

export function addressOf({ security }: BadStep, { host, port }: Peer): string {
  return `${security === "direct" ? "xmpps" : "xmpp"}://${host}:${port}`;
}

export function hostsOf(peers: readonly Peer[], ca: Authority): ConfigTables["hosts"] {
  return Object.fromEntries(
    badSteps.map((row, index) => {
      const peer = peers[index];
      if (peer === undefined) throw new Error(`There is no peer for ${row.name}.`);
      return [row.domain, { connect: addressOf(row, peer), ca }];
    }),
  );
}
