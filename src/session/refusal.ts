/** Why a session does not take a message at all. */

import type { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Ledger } from "../ledger.ts";
import * as answers from "./answers.ts";
import type { Entry, Outgoing, SessionOptions } from "./entry.ts";

export interface Taking extends Pick<SessionOptions, "maxPending" | "maxPendingBytes"> {
  readonly account: Jid;
  readonly ledger: Ledger<Entry>;
  /** What the server takes in one stanza, if it has told. */
  readonly maxStanzaBytes: number | undefined;
}

/** Undefined: it is taken. `signal`: its caller has hung up. */
export function whyNotTaken(
  taking: Taking,
  { id, to }: Outgoing,
  bytes: number,
  signal: AbortSignal,
): Failure | undefined {
  const { account, ledger, maxStanzaBytes, maxPending, maxPendingBytes } = taking;
  if (signal.aborted) return answers.withdrawn(to, "its caller hung up");
  if (ledger.has(id)) return answers.idInUse(id);
  if (maxStanzaBytes !== undefined && bytes > maxStanzaBytes) return answers.tooLarge(bytes, maxStanzaBytes);
  const full = ledger.size >= maxPending || ledger.bytes + bytes > maxPendingBytes;
  return full ? answers.queueFull(account, ledger.size) : undefined;
}
