/** What comes back for a message after it was taken: the recipient's receipt (XEP-0184), or a late refusal. */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { mayRefuse } from "../ledger.ts";
import type { Bounce, DeliveryReceipt } from "../link.ts";

export interface Watch {
  /** Resolves with "received", with the refusal, or with "over" when the session has ended. */
  readonly outcome: Promise<"received" | "over" | Failure>;
  stop(): void;
}

interface Watched {
  readonly to: Jid;
  readonly resolve: (outcome: "received" | "over" | Failure) => void;
}

export class Receipts {
  readonly #ownDomain: string;
  readonly #watched = new Map<string, Watched>();

  constructor(ownDomain: string) {
    this.#ownDomain = ownDomain;
  }

  watch(id: string, to: Jid): Watch {
    const { promise, resolve } = Promise.withResolvers<"received" | "over" | Failure>();
    const watched = { to, resolve };
    this.#watched.set(id, watched);
    // An id of the caller's may come again, once the message before it is settled.
    const stop = () => void (this.#watched.get(id) === watched && this.#watched.delete(id));
    return { outcome: promise, stop };
  }

  /** Only the recipient can say that it has received. */
  received({ id, from }: DeliveryReceipt): void {
    const watched = this.#watched.get(id);
    if (watched !== undefined && from.bare === watched.to.bare) watched.resolve("received");
  }

  /** What whoever waits for it is told; undefined: nobody does. */
  bounced({ id, from, refusal }: Bounce): Failure | undefined {
    const watched = this.#watched.get(id);
    if (watched === undefined) return undefined;
    if (!mayRefuse(from, watched.to, this.#ownDomain)) return undefined;
    const failure = refusal(watched.to.full);
    watched.resolve(failure);
    return failure;
  }

  stop(): void {
    for (const { resolve } of this.#watched.values()) resolve("over");
    this.#watched.clear();
  }
}
