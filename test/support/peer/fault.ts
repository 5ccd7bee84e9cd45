/** The steps of a connection, in order, and what a test can make go wrong at each. */

/**
 * The server's words are replaced by the fault: header, features, proceed, tls-header, tls-features, challenge, success,
 * restart-header, restart-features, bind, enable, resume, ack, ping, end. At the others it strikes as soon as the step is
 * reached and before anything is done about it: a connection is accepted (tcp), the handshake begins (tls), the client's
 * word has arrived (starttls, auth, response, message).
 */
export const steps = [
  "tcp",
  "header",
  "features",
  "starttls",
  "proceed",
  "tls",
  // Only with STARTTLS; with direct TLS the first header comes after the handshake and is called "header".
  "tls-header",
  "tls-features",
  "auth",
  // Only with SCRAM.
  "challenge",
  "response",
  "success",
  "restart-header",
  "restart-features",
  "bind",
  "enable",
  "resume",
  "message",
  "ack",
  "ping",
  /** The answer to the client's `</stream:stream>`. */
  "end",
] as const;

export type Step = (typeof steps)[number];

export type How =
  /** Says nothing more, but reads on. */
  | "hang"
  /** Says nothing more and reads nothing more: the client's writes get stuck in the end. */
  | "stop-reading"
  /** A FIN without a word. */
  | "close"
  /** `</stream:stream>`, then a FIN. */
  | "end"
  /** A TCP RST. */
  | "reset"
  /** Bytes that are neither XML nor UTF-8 nor TLS, then a hang. */
  | "garbage"
  /** The right answer, but one byte a packet, here and from here on. */
  | "one-byte-at-a-time"
  /** The right answer, late. */
  | { readonly delayMs: number }
  /** This in place of the answer; then (default) the dance goes on, or the connection hangs or closes. */
  | { readonly send: string | Uint8Array; readonly then?: "go-on" | "hang" | "close" | "reset" }
  /** RFC 6120 section 4.9.3; `extra` is XML. The stream ends after it. */
  | { readonly streamError: string; readonly text?: string; readonly extra?: string }
  /** RFC 6120 section 6.5; only at auth, challenge, response and success. The client may try again. */
  | { readonly saslFailure: string; readonly text?: string };

export interface Fault {
  readonly at: Step;
  readonly how: How;
  /** Only on this connection, counted from 1. Default: on every one. */
  readonly connection?: number;
  /** When the step is reached for this time on its connection, counted from 1 (e.g. the 5th message). Default: 1. */
  readonly nth?: number;
  /** So many bytes of the right answer go out first. Default: 0. */
  readonly afterBytes?: number;
}

export type FaultPlan = Fault | readonly Fault[];

/** One byte that no UTF-8 text, no XML and no TLS record can begin with, and some more. */
export const garbage: Uint8Array = Uint8Array.of(0xff, 0x00, 0xfe, ...Buffer.from("<<>garbage&;\r\n\r\n"), 0xc0, 0x80);

export function findFault(plan: FaultPlan | undefined, connection: number, step: Step, nth: number): Fault | undefined {
  const faults: readonly Fault[] = plan === undefined ? [] : "how" in plan ? [plan] : plan;
  return faults.find(
    (fault) => fault.at === step && (fault.nth ?? 1) === nth && (fault.connection ?? connection) === connection,
  );
}
