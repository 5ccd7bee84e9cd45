/** What every SASL mechanism of ours looks like from the login procedure: bytes in, bytes out, no socket. */

/**
 * One login attempt with one mechanism. `initialResponse` goes out with `<auth/>`; each `<challenge/>` is handed to
 * `respond` and its result sent back; `<success/>` is handed to `finish`, and only when that returns is the server
 * proven and the login done. Not to be used again.
 */
export interface SaslExchange {
  readonly mechanism: string;
  readonly initialResponse: Uint8Array;
  /**
   * The answer to a `<challenge/>`, base64 removed. Rejects with `signal.reason` when that aborts, otherwise with a
   * Failure: `server_not_proven`, `credentials_rejected`, `password_needed`, `login_failed`, `login_temporarily_failed`
   * or `protocol_error`.
   */
  respond(challenge: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Takes the additional data of `<success/>`, base64 removed (RFC 6120 section 6.3.10). Throws `server_not_proven`
   * when the server has not shown a right signature by then.
   */
  finish(additionalData: Uint8Array | undefined): void;
  /** After `finish`: what a later login can be made with in place of the password. Undefined for PLAIN. */
  readonly keys: ScramKeys | undefined;
}

export type ScramHash = "sha1" | "sha256" | "sha512";

/** As good as the password on this one server, until its salt or iteration count changes (RFC 5802 section 3). */
export interface ScramKeys {
  readonly hash: ScramHash;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly clientKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export type Secret = { readonly password: string } | { readonly keys: ScramKeys };
