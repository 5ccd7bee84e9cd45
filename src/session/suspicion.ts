/**
 * When the server ends a stream over what was sent, the first message that it had not handled is the suspect: it is
 * written once more, alone; if the stream ends over it again, it is refused.
 */

import type { Failure } from "../errors.ts";
import type { Ledger } from "../ledger.ts";
import * as answers from "./answers.ts";
import type { Entry } from "./entry.ts";
import { isComplaint } from "./recovery.ts";

export class Suspicion {
  readonly #ledger: Ledger<Entry>;
  #suspect: Entry | undefined;

  constructor(ledger: Ledger<Entry>) {
    this.#ledger = ledger;
  }

  /** What is written alone until it is settled. */
  get suspect(): Entry | undefined {
    return this.#suspect;
  }

  /** Whether the server complained about what was sent when one message was all that it had not acknowledged. */
  isAloneTo(reason: Failure): boolean {
    const [only, ...others] = this.#ledger.written;
    return only !== undefined && others.length === 0 && isComplaint(reason, only.bytes);
  }

  /** The first message that was written and is known not to have been handled. */
  get firstAgain(): Entry | undefined {
    const first = this.#ledger.firstWaiting;
    return first?.waitsAgain ? first : undefined;
  }

  /** After the connection has come back that was lost for `reason`. */
  fallOn(reason: Failure, resumed: boolean): void {
    const first = this.firstAgain;
    if (first === undefined || !isComplaint(reason, first.bytes)) return;
    // Outside its room it cannot be tried again as it is.
    if (this.#suspect !== first && (resumed || first.stay === undefined)) {
      this.#suspect = first;
      return;
    }
    this.#suspect = undefined;
    if (this.#ledger.withdraw(first)) first.reject(answers.poisonous(first.to, first.bytes, reason));
  }

  /** True, once, when the suspect has got through or was answered: the others may follow. */
  cleared(): boolean {
    if (this.#suspect === undefined || this.#ledger.has(this.#suspect.id)) return false;
    this.#suspect = undefined;
    return true;
  }
}
