/** What the HTTP side is given by the composition root, and what it tells it. */

import type { Caller } from "../caller.ts";
import type { Jid } from "../jid.ts";
import type { Credentials, Message, Receipt } from "../message.ts";
import type { RequestLine, Times } from "../request-log.ts";
import type { ProxyNetwork } from "./client-address.ts";

/** Where to listen. Port 0: any free one. */
export type ListenAddress = { readonly hostname: string; readonly port: number } | { readonly unixPath: string };

export interface HttpOptions {
  readonly listen: ListenAddress;
  /** PEM; undefined: plain HTTP. */
  readonly tls: { readonly certificates: string; readonly key: string } | undefined;
  /** Permissions of a Unix socket. */
  readonly socketMode: number;
  /** A new process may take the address over while this one still answers. */
  readonly reusePort: boolean;
  /** Begins with a slash and does not end with one. */
  readonly path: string;
  /** The message part of mod_rest is served, too. */
  readonly rest: boolean;
  readonly maxBodyBytes: number;
  /** Requests at one time; one more is a 503. */
  readonly maxInFlight: number;
  readonly forbiddenCharacters: "refuse" | "replace";
  /** The longest wait for a delivery receipt that a request may ask for. */
  readonly waitMaxMs: number;
  /** Of one request, aliases counted by their members. */
  readonly maxRecipients: number;
  /** What `@name` stands for. */
  readonly aliases: ReadonlyMap<string, readonly Jid[]>;
  /** Whose X-Forwarded-For and Forwarded are believed. */
  readonly trustedProxies: readonly ProxyNetwork[];
  /** Of web pages that may send, as browsers write them. */
  readonly allowedOrigins: readonly string[];
  /** The domains whose users may send, normalised as in `Jid.domain`. */
  readonly allowedHosts: readonly string[];
  /** The same as a question; called with a `Jid.domain`. */
  isAllowedHost(domain: string): boolean;
  /** When there is just one. */
  readonly onlyHost: string | undefined;
  /** Called once a request whose credentials are well-formed, before its body is read. Throws 429. */
  admit(credentials: Credentials, clientAddress: string): void;
  /** Called once for each recipient of a request that is otherwise valid, before `deliver`. */
  mayReceive(sender: Jid, recipient: Jid): boolean;
  /** Called at most once for each recipient; rejects with a Failure. */
  deliver(delivery: Delivery): Promise<Receipt>;
  /** Called exactly once a request, when its answer is ready. Must not throw. */
  log(line: RequestLine): void;
}

export interface Delivery {
  readonly credentials: Credentials;
  readonly message: Message;
  /** Where the request comes from: an IPv4 address, an IPv6 /64, or "local". */
  readonly clientAddress: string;
  /** How long to wait for the recipient's receipt, in milliseconds; 0: not at all. */
  readonly waitMs: number;
  readonly caller: Caller;
  readonly requestId: string;
  /** Written to as the message gets on, for the log. */
  readonly times: Times;
  /** It is the same message as another one of its request, for somebody else. */
  readonly isCopy: boolean;
}
