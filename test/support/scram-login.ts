/** What the SASL tests share: a login that can be stopped half-way, and the code of what it throws. */

import { expect } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { chooseExchange, type SaslContext, type SaslOffer } from "../../src/xmpp/sasl/choose.ts";
import { bytes, type ScramServer, serverFinal, serverFirst } from "./scram-server.ts";

export const signal = new AbortController().signal;
export const offering = (...mechanisms: string[]): SaslOffer => ({ mechanisms, channelBindings: [] });
export const context: SaslContext = {
  host: "example.com",
  username: "user",
  secret: { password: "pencil" },
  encrypted: true,
  allowPlaintext: false,
  tlsExporter: undefined,
};

export const server: ScramServer = { hash: "sha256", password: "pencil", salt: "a salt of sixteen", iterations: 4096 };

/** Up to the client's proof. */
export async function prove(secret: SaslContext["secret"] = context.secret, to: ScramServer = server) {
  const mechanism = { sha1: "SCRAM-SHA-1", sha256: "SCRAM-SHA-256", sha512: "SCRAM-SHA-512" }[to.hash];
  const exchange = chooseExchange(offering(mechanism), { ...context, secret });
  const first = serverFirst(to, exchange.initialResponse);
  const final = await exchange.respond(bytes(first), signal);
  return { exchange, answer: serverFinal(to, exchange.initialResponse, first, final) };
}

export async function failureOf(outcome: Promise<unknown> | (() => Promise<unknown>)): Promise<string> {
  try {
    await (typeof outcome === "function" ? outcome() : outcome);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.message).toMatch(/^[A-Z].*\.$/);
    return error.code;
  }
  return "no failure";
}
