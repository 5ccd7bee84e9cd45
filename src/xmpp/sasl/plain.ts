/** PLAIN (RFC 4616): the password itself, in UTF-8. Who may use it is decided in choose.ts. */

import { Failure } from "../../errors.ts";
import type { SaslExchange } from "./exchange.ts";

export class PlainExchange implements SaslExchange {
  readonly mechanism = "PLAIN";
  readonly keys = undefined;
  readonly initialResponse: Uint8Array;
  readonly #host: string;

  /** The password goes out as it was typed: to prepare it is the server's part (RFC 4616 section 2). */
  constructor(host: string, username: string, password: string) {
    if (password === "" || password.includes("\0")) {
      throw new Failure(
        "credentials_unusable",
        "The password cannot be used: it is empty or has a NUL character in it.",
      );
    }
    this.#host = host;
    this.initialResponse = new TextEncoder().encode(`\0${username}\0${password}`);
  }

  async respond(): Promise<Uint8Array> {
    throw new Failure(
      "protocol_error",
      `The login at "${this.#host}" could not be done: the server sent a challenge to PLAIN, which has none.`,
    );
  }

  /** PLAIN has nothing by which a server could prove itself; its certificate has done that before. */
  finish(): void {
    this.initialResponse.fill(0);
  }
}
