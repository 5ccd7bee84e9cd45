/** A bound session as XEP-0198 sees it: what was handled in either direction. It outlives its connection. */

import { randomUUID } from "node:crypto";
import type { HandledMessage } from "./options.ts";

export interface ManagedSession {
  /** For `<resume previd=…/>`. */
  readonly id: string;
  readonly jid: string;
  /** The number of the connection that may still speak for it; what another one has sent before is not handled any more. */
  holder: number;
  /** Stanzas of the client that were handled since `<enable/>`. */
  readonly handled: number;
  /** The count begins: `<enable/>` has come. */
  begin(): void;
  /** Counts one more stanza of the client. */
  count(message?: HandledMessage): void;
  /** The client is told that `total` stanzas were handled. */
  acknowledge(total: number): void;
  /** Keeps a stanza that was sent to the client until the client acknowledges it. */
  keep(stanza: string): void;
  /** The client has handled `total` stanzas; returns the ones that are left. */
  settle(total: number): readonly string[];
}

export function makeManagedSession(jid: string): ManagedSession {
  let handled = 0;
  let settled = 0;
  let kept: string[] = [];
  const unacknowledged: { readonly message: HandledMessage; number: number }[] = [];
  return {
    id: randomUUID(),
    jid,
    holder: 0,
    get handled() {
      return handled;
    },
    begin: () => {
      handled = 0;
      kept = [];
      for (const entry of unacknowledged) entry.number = 0;
    },
    count: (message) => {
      handled++;
      if (message !== undefined) unacknowledged.push({ message, number: handled });
    },
    acknowledge: (total) => {
      const covered = unacknowledged.findIndex(({ number }) => number > total);
      const done = unacknowledged.splice(0, covered === -1 ? unacknowledged.length : covered);
      for (const { message } of done) message.acknowledged = true;
    },
    keep: (stanza) => void kept.push(stanza),
    settle: (total) => {
      kept = kept.slice(Math.max(0, total - settled));
      settled = Math.max(settled, total);
      return kept;
    },
  };
}
