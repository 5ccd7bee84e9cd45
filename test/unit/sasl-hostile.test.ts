/** SCRAM against servers that lie, stop half-way or refuse. */

import { describe, expect, test } from "bun:test";
import { chooseExchange } from "../../src/xmpp/sasl/choose.ts";
import type { SaslExchange } from "../../src/xmpp/sasl/exchange.ts";
import { context, failureOf, offering, prove, signal } from "../support/scram-login.ts";
import { bytes, text } from "../support/scram-server.ts";

const good = "r=abcdef,s=c2FsdA==,i=4096";

describe("the login is refused when the server's first message", () => {
  const cases: readonly (readonly [what: string, message: string | Uint8Array, code: string])[] = [
    ["has another nonce", "r=xyzdef,s=c2FsdA==,i=4096", "server_not_proven"],
    ["only echoes our nonce", "r=abc,s=c2FsdA==,i=4096", "server_not_proven"],
    ["has a shortened nonce", "r=ab,s=c2FsdA==,i=4096", "server_not_proven"],
    ["has a space in its nonce", "r=abc def,s=c2FsdA==,i=4096", "server_not_proven"],
    ["has a non-ASCII nonce", "r=abcdé,s=c2FsdA==,i=4096", "server_not_proven"],
    ["has no nonce", "s=c2FsdA==,i=4096", "server_not_proven"],
    ["has an empty salt", "r=abcdef,s=,i=4096", "server_not_proven"],
    ["has a salt that is not base64", "r=abcdef,s=c2F*dA==,i=4096", "server_not_proven"],
    ["has a salt without padding", "r=abcdef,s=c2FsdA,i=4096", "server_not_proven"],
    ["has a salt with stray bits", "r=abcdef,s=c2FsdB==,i=4096", "server_not_proven"],
    ["has a salt in base64url", "r=abcdef,s=c2Fs-_==,i=4096", "server_not_proven"],
    ["has a salt with white space", "r=abcdef,s=c2Fs dA==,i=4096", "server_not_proven"],
    ["has the count 1", "r=abcdef,s=c2FsdA==,i=1", "server_not_proven"],
    ["has the count 0", "r=abcdef,s=c2FsdA==,i=0", "server_not_proven"],
    ["has the count 4,095", "r=abcdef,s=c2FsdA==,i=4095", "server_not_proven"],
    ["has the count 1,000,001", "r=abcdef,s=c2FsdA==,i=1000001", "server_not_proven"],
    ["has the count 10^9", "r=abcdef,s=c2FsdA==,i=1000000000", "server_not_proven"],
    ["has a count of 40 digits", `r=abcdef,s=c2FsdA==,i=${"4".repeat(40)}`, "server_not_proven"],
    ["has a negative count", "r=abcdef,s=c2FsdA==,i=-4096", "server_not_proven"],
    ["has a count in hexadecimal", "r=abcdef,s=c2FsdA==,i=0x1000", "server_not_proven"],
    ["has a count with an exponent", "r=abcdef,s=c2FsdA==,i=5e3", "server_not_proven"],
    ["has a count with a leading zero", "r=abcdef,s=c2FsdA==,i=04096", "server_not_proven"],
    ["has no count", "r=abcdef,s=c2FsdA==", "server_not_proven"],
    ["has the attributes in another order", "s=c2FsdA==,r=abcdef,i=4096", "server_not_proven"],
    ["has two salts", "r=abcdef,s=c2FsdA==,s=c2FsdA==,i=4096", "server_not_proven"],
    ["demands an extension", `m=x,${good}`, "server_not_proven"],
    ["demands an extension at its end", `${good},m=x`, "server_not_proven"],
    ["is empty", "", "server_not_proven"],
    ["is not SCRAM", "<hello/>", "server_not_proven"],
    ["begins with a byte order mark", `\ufeff${good}`, "server_not_proven"],
    ["is not UTF-8", Uint8Array.from([...bytes(`${good},x=`), 0xff]), "server_not_proven"],
    ["is 5,000 bytes long", `r=abc${"d".repeat(5000)},s=c2FsdA==,i=4096`, "server_not_proven"],
    ["is already the last", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "server_not_proven"],
    ["is e=unknown-user", "e=unknown-user", "credentials_rejected"],
    ["is e=other-error", "e=other-error", "login_failed"],
  ];
  test.each([...cases])("%s", async (_, message, code) => {
    const exchange = chooseExchange(offering("SCRAM-SHA-1"), context, "abc");
    const challenge = typeof message === "string" ? bytes(message) : message;
    expect(await failureOf(exchange.respond(challenge, signal))).toBe(code);
    expectNeverDone(exchange);
  });

  test.each([
    ["has an optional extension", `${good},x=anything=at,y=all`],
    ["has the count 1,000,000", "r=abcdef,s=c2FsdA==,i=1000000"],
  ])("but not when it %s", async (_, message) => {
    const exchange = chooseExchange(offering("SCRAM-SHA-1"), context, "abc");
    expect(text(await exchange.respond(bytes(message), signal))).toStartWith("c=biws,r=abcdef,p=");
  });
});

describe("the login is refused when the server's last message", () => {
  const zeros = Buffer.alloc(32).toString("base64");
  const cases: readonly (readonly [what: string, change: (answer: string) => string, code: string])[] = [
    ["has a wrong signature", () => `v=${zeros}`, "server_not_proven"],
    ["has a signature that is too short", (answer) => `v=${shorten(answer)}`, "server_not_proven"],
    ["has a signature that is too long", (answer) => `v=${lengthen(answer)}`, "server_not_proven"],
    ["has an empty signature", () => "v=", "server_not_proven"],
    ["has no signature", () => "x=y", "server_not_proven"],
    ["has white space before it", (answer) => ` ${answer}`, "server_not_proven"],
    ["has its signature not first", (answer) => `x=y,${answer}`, "server_not_proven"],
    ["has a signature without padding", (answer) => answer.replace(/=+$/, ""), "server_not_proven"],
    ["demands an extension", (answer) => `${answer},m=x`, "server_not_proven"],
    ["is not UTF-8 text of SCRAM", () => "\ufffd", "server_not_proven"],
    ["says invalid-proof", () => "e=invalid-proof", "credentials_rejected"],
    ["says unknown-user", () => "e=unknown-user", "credentials_rejected"],
    ["says invalid-encoding", () => "e=invalid-encoding", "login_failed"],
    ["says extensions-not-supported", () => "e=extensions-not-supported", "login_failed"],
    ["says channel-bindings-dont-match", () => "e=channel-bindings-dont-match", "login_failed"],
    ["says server-does-support-channel-binding", () => "e=server-does-support-channel-binding", "login_failed"],
    ["says channel-binding-not-supported", () => "e=channel-binding-not-supported", "login_failed"],
    ["says unsupported-channel-binding-type", () => "e=unsupported-channel-binding-type", "login_failed"],
    ["says invalid-username-encoding", () => "e=invalid-username-encoding", "login_failed"],
    ["says no-resources", () => "e=no-resources", "login_temporarily_failed"],
    ["says other-error", () => "e=other-error", "login_failed"],
    ["says what no RFC knows", () => "e=constructor", "login_failed"],
    ["says an error beside a right signature", (answer) => `${answer},e=other-error`, "login_failed"],
  ];

  test.each([...cases])("%s, in a challenge", async (_, change, code) => {
    const { exchange, answer } = await prove();
    expect(await failureOf(exchange.respond(bytes(change(answer)), signal))).toBe(code);
    expectNeverDone(exchange);
  });

  test.each([...cases])("%s, with the success", async (_, change, code) => {
    const { exchange, answer } = await prove();
    expect(await failureOf(async () => exchange.finish(bytes(change(answer))))).toBe(code);
    expectNeverDone(exchange);
  });
});

describe("the login is refused when the server", () => {
  test("declares success at once", () => {
    const exchange = chooseExchange(offering("SCRAM-SHA-1"), context);
    expect(() => exchange.finish(undefined)).toThrow("did not prove");
    expectNeverDone(exchange);
  });

  test.each([
    ["no data", undefined],
    ["empty data", new Uint8Array()],
  ])("declares success with %s before it has proven itself", async (_, data) => {
    const { exchange } = await prove();
    expect(() => exchange.finish(data)).toThrow("did not prove");
    expectNeverDone(exchange);
  });

  test("shows the signature twice and the second one is wrong", async () => {
    const { exchange, answer } = await prove();
    await exchange.respond(bytes(answer), signal);
    expect(() => exchange.finish(bytes("v=AAAA"))).toThrow("did not prove");
    expectNeverDone(exchange);
  });

  test("goes on with challenges after the last", async () => {
    const { exchange, answer } = await prove();
    await exchange.respond(bytes(answer), signal);
    expect(await failureOf(exchange.respond(bytes(answer), signal))).toBe("protocol_error");
    expectNeverDone(exchange);
  });

  test("declares success while the proof is being made", async () => {
    const exchange = chooseExchange(offering("SCRAM-SHA-1"), context, "abc");
    const response = exchange.respond(bytes(good), signal);
    expect(() => exchange.finish(undefined)).toThrow("did not prove");
    await response;
    expect(exchange.keys).toBeUndefined();
  });
});

test("no way of refusing tells an unknown account from a wrong password", async () => {
  const sentences = new Set<string>();
  for (const error of ["e=unknown-user", "e=invalid-proof"]) {
    const { exchange } = await prove();
    const failure = await exchange.respond(bytes(error), signal).catch((thrown: unknown) => thrown);
    sentences.add(String(failure));
  }
  expect(sentences.size).toBe(1);
});

function expectNeverDone(exchange: SaslExchange) {
  expect(() => exchange.finish(undefined)).toThrow("did not prove");
  expect(exchange.keys).toBeUndefined();
}

function shorten(answer: string): string {
  return Buffer.from(answer.slice(2), "base64").subarray(0, 16).toString("base64");
}

function lengthen(answer: string): string {
  return Buffer.concat([Buffer.from(answer.slice(2), "base64"), Buffer.alloc(1)]).toString("base64");
}
