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
  /** By id, oldest first: an id of the caller's may come again, once the message before it is settled. */
  readonly #watched = new Map<string, readonly Watched[]>();

  constructor(ownDomain: string) {
    this.#ownDomain = ownDomain;
  }

  watch(id: string, to: Jid): Watch {
    const { promise, resolve } = Promise.withResolvers<"received" | "over" | Failure>();
    const watched = { to, resolve };
    this.#watched.set(id, [...this.#of(id), watched]);
    return { outcome: promise, stop: () => this.#remove(id, watched) };
  }

  /** Only the recipient can say that it has received. */
  received({ id, from }: DeliveryReceipt): void {
    this.#take(id, ({ to }) => from.bare === to.bare)?.resolve("received");
  }

  /** What whoever waits for it is told; undefined: nobody does. */
  bounced({ id, from, refusal }: Bounce): Failure | undefined {
    const watched = this.#take(id, ({ to }) => mayRefuse(from, to, this.#ownDomain));
    if (watched === undefined) return undefined;
    const failure = refusal(watched.to.full);
    watched.resolve(failure);
    return failure;
  }

  stop(): void {
    for (const { resolve } of [...this.#watched.values()].flat()) resolve("over");
    this.#watched.clear();
  }

  #of(id: string): readonly Watched[] {
    return this.#watched.get(id) ?? [];
  }

  /** What one is told, no other one of the same id is. */
  #take(id: string, concerns: (watched: Watched) => boolean): Watched | undefined {
    const watched = this.#of(id).find(concerns);
    if (watched !== undefined) this.#remove(id, watched);
    return watched;
  }

  #remove(id: string, watched: Watched): void {
    const left = this.#of(id).filter((each) => each !== watched);
    if (left.length === 0) this.#watched.delete(id);
    else this.#watched.set(id, left);
  }
}
