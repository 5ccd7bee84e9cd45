/** What the HTTP side is given by the composition root, and what it tells it. */

import type { Code, Outcome } from "../errors.ts";
import type { Jid } from "../jid.ts";
import type { Credentials, Message, Receipt } from "../message.ts";

/** Where to listen. Port 0: any free one. */
export type ListenAddress = { readonly hostname: string; readonly port: number } | { readonly unixPath: string };

export interface HttpOptions {
  readonly listen: ListenAddress;
  /** Begins with a slash and does not end with one. */
  readonly path: string;
  readonly maxBodyBytes: number;
  readonly forbiddenCharacters: "refuse" | "replace";
  /** The domains whose users may send, normalised as in `Jid.domain`. */
  readonly allowedHosts: readonly string[];
  /** The same as a question; called with a `Jid.domain`. */
  isAllowedHost(domain: string): boolean;
  /** When there is just one. */
  readonly onlyHost: string | undefined;
  /** Called once a request that is otherwise valid, before `deliver`. */
  mayReceive(sender: Jid, recipient: Jid): boolean;
  /** Called at most once a request; rejects with a Failure. */
  deliver(delivery: Delivery): Promise<Receipt>;
  /** Called exactly once a request, when its answer is ready. Must not throw. */
  log(line: RequestLine): void;
}

export interface Delivery {
  readonly credentials: Credentials;
  readonly message: Message;
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
  readonly requestId: string;
}

/** The closing line of a request. Absent members do not apply, or were not known by then. */
export interface RequestLine {
  readonly requestId: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly code?: Code;
  readonly outcome?: Outcome;
  readonly senderDomain?: string;
  /** What lies behind the failure, for the log only; for a 500 always. */
  readonly cause?: unknown;
}
