/** The client's side of SCRAM (RFC 5802) for any hash, with or without channel binding. */

import { timingSafeEqual } from "node:crypto";
import { Failure } from "../../errors.ts";
import { opaqueString } from "../../precis.ts";
import type { SaslExchange, ScramHash, ScramKeys, Secret } from "./exchange.ts";
import { scramFailure } from "./scram-errors.ts";
import { clientProof, deriveKeys, serverSignature } from "./scram-keys.ts";
import { escapeUsername, type Problem, readServerFinal, readServerFirst, type ServerError } from "./scram-messages.ts";

export interface ScramOptions {
  readonly mechanism: string;
  readonly hash: ScramHash;
  /** For sentences. */
  readonly host: string;
  readonly username: string;
  readonly secret: Secret;
  /** With both commas, such as "n,,". */
  readonly gs2Header: string;
  /** Empty unless the header says "p=". */
  readonly bindingData: Uint8Array;
  /** Printable ASCII without a comma. */
  readonly clientNonce: string;
}

/** The secret stands only in the first of these, so that it is forgotten with it. */
type State =
  | { readonly step: "begun"; readonly secret: Secret }
  | { readonly step: "failed" }
  | { readonly step: "proof sent"; readonly keys: ScramKeys; readonly expectedSignature: Uint8Array }
  | { readonly step: "server proven"; readonly keys: ScramKeys; readonly expectedSignature: Uint8Array };

export class ScramExchange implements SaslExchange {
  readonly mechanism: string;
  readonly initialResponse: Uint8Array;
  readonly #hash: ScramHash;
  readonly #host: string;
  readonly #clientNonce: string;
  readonly #clientFirstBare: string;
  /** The `c=` attribute: it lets the server see that nobody has changed the header or the channel. */
  readonly #binding: string;
  #state: State;

  constructor(options: ScramOptions) {
    this.mechanism = options.mechanism;
    this.#hash = options.hash;
    this.#host = options.host;
    this.#clientNonce = options.clientNonce;
    this.#clientFirstBare = `n=${escapeUsername(options.username)},r=${options.clientNonce}`;
    this.#binding = Buffer.concat([Buffer.from(options.gs2Header), options.bindingData]).toString("base64");
    this.#state = { step: "begun", secret: prepare(options.secret) };
    this.initialResponse = Buffer.from(options.gs2Header + this.#clientFirstBare);
  }

  get keys(): ScramKeys | undefined {
    return this.#state.step === "server proven" ? this.#state.keys : undefined;
  }

  async respond(challenge: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const state = this.#state;
    // Left so by whatever throws below: a failed exchange can never be finished.
    this.#state = { step: "failed" };
    if (state.step === "begun") return await this.#prove(challenge, state.secret, signal);
    if (state.step === "proof sent") {
      this.#checkSignature(challenge, state.expectedSignature);
      this.#state = { ...state, step: "server proven" };
      return new Uint8Array();
    }
    throw new Failure(
      "protocol_error",
      `The login at "${this.#host}" could not be done: the server sent a challenge that SCRAM does not have.`,
    );
  }

  finish(additionalData: Uint8Array | undefined): void {
    const state = this.#state;
    this.#state = { step: "failed" };
    const empty = additionalData === undefined || additionalData.length === 0;
    if (state.step === "server proven" && empty) {
      this.#state = state;
    } else if ((state.step === "proof sent" || state.step === "server proven") && !empty) {
      this.#checkSignature(additionalData, state.expectedSignature);
      this.#state = { ...state, step: "server proven" };
    } else {
      throw this.#notProven({ problem: "declared success without its signature" });
    }
  }

  async #prove(challenge: Uint8Array, secret: Secret, signal: AbortSignal): Promise<Uint8Array> {
    const first = readServerFirst(challenge, this.#clientNonce);
    if (!("nonce" in first)) throw this.#refusal(first);
    const keys =
      "password" in secret
        ? await deriveKeys(this.#hash, secret.password, first.salt, first.iterations, signal)
        : secret.keys;
    if (!fits(keys, first.salt, first.iterations)) throw passwordNeeded(this.#host);
    const finalWithoutProof = `c=${this.#binding},r=${first.nonce}`;
    const authMessage = `${this.#clientFirstBare},${new TextDecoder().decode(challenge)},${finalWithoutProof}`;
    const proof = Buffer.from(clientProof(keys, authMessage)).toString("base64");
    this.#state = { step: "proof sent", keys, expectedSignature: serverSignature(keys, authMessage) };
    return Buffer.from(`${finalWithoutProof},p=${proof}`);
  }

  #checkSignature(message: Uint8Array, expected: Uint8Array): void {
    const final = readServerFinal(message);
    if (!("signature" in final)) throw this.#refusal(final);
    if (final.signature.length !== expected.length || !timingSafeEqual(final.signature, expected)) {
      throw this.#notProven({ problem: "sent a signature that is wrong" });
    }
  }

  #refusal(answer: ServerError | Problem): Failure {
    return "error" in answer ? scramFailure(answer.error, this.#host) : this.#notProven(answer);
  }

  #notProven({ problem }: Problem): Failure {
    return new Failure(
      "server_not_proven",
      `The login at "${this.#host}" was given up: the server did not prove that it knows the account; it ${problem}.`,
    );
  }
}

/** Kept keys are of no use here, and only a password would be. */
export function passwordNeeded(host: string): Failure {
  return new Failure(
    "password_needed",
    `The login at "${host}" could not be repeated: the server has changed how it checks passwords; the password is needed.`,
  );
}

function fits(keys: ScramKeys, salt: Uint8Array, iterations: number): boolean {
  return keys.iterations === iterations && Buffer.compare(keys.salt, salt) === 0;
}

/** RFC 8265 section 4.2 takes the place of RFC 5802's SASLprep. */
function prepare(secret: Secret): Secret {
  if ("keys" in secret) return secret;
  const password = opaqueString(secret.password);
  if (password !== undefined) return { password };
  throw new Failure(
    "credentials_unusable",
    "The password cannot be used: it is empty or has characters in it that no password may have (RFC 8265).",
  );
}
