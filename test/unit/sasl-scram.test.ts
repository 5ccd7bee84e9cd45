/** SCRAM: known vectors, and whole logins against a second implementation. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { chooseExchange, type SaslContext, type SaslOffer } from "../../src/xmpp/sasl/choose.ts";
import { context, failureOf, offering, prove, server, signal } from "../support/scram-login.ts";
import { bytes, text } from "../support/scram-server.ts";

interface Vector {
  readonly source: string;
  readonly offer: SaslOffer;
  readonly context: SaslContext;
  readonly nonce: string;
  readonly clientFirst: string;
  readonly serverFirst: string;
  readonly clientFinal: string;
  readonly serverFinal: string;
}

const nonce7677 = "rOprNGfwEbeRWgbNEkqO";
const serverFirst7677 = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

const vectors: readonly Vector[] = [
  {
    source: "RFC 5802 section 5, SHA-1",
    offer: offering("SCRAM-SHA-1"),
    context,
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
    clientFirst: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
    serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    clientFinal: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    serverFinal: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    source: "RFC 7677 section 3, SHA-256",
    offer: offering("SCRAM-SHA-256"),
    context,
    nonce: nonce7677,
    clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    serverFirst: serverFirst7677,
    clientFinal:
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    serverFinal: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
  // No RFC has a vector for these. They were computed with Python's hashlib and hmac by a script whose output for
  // SHA-256 without binding is RFC 7677's.
  {
    source: "Python hashlib, SHA-512",
    offer: offering("SCRAM-SHA-512"),
    context,
    nonce: nonce7677,
    clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    serverFirst: serverFirst7677,
    clientFinal:
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
    serverFinal: "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
  },
  {
    source: "Python hashlib, SHA-256 bound to tls-exporter bytes 00 to 1F",
    offer: { mechanisms: ["SCRAM-SHA-256-PLUS"], channelBindings: ["tls-exporter"] },
    context: { ...context, tlsExporter: Uint8Array.from({ length: 32 }, (_, index) => index) },
    nonce: nonce7677,
    clientFirst: "p=tls-exporter,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    serverFirst: serverFirst7677,
    clientFinal:
      "c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=QC6CS20quADQRb3mT99YUH+n3VJxUvzuK0K0E1Vrs2M=",
    serverFinal: "v=2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs=",
  },
  {
    source: "Python hashlib, SHA-1, flag y, comma and equals sign in the name, non-ASCII password",
    offer: offering("SCRAM-SHA-1"),
    context: {
      ...context,
      username: "a,b=c",
      secret: { password: "pässwörd :€" },
      tlsExporter: new Uint8Array(32),
    },
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
    clientFirst: "y,,n=a=2Cb=3Dc,r=fyko+d2lbbFgONRv9qkxdawL",
    serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=10000",
    clientFinal: "c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=vWfjIncjrP6xmHJLwB3iq02W5sI=",
    serverFinal: "v=qzvS/J4l72uI81zCAiGhvx4KDPE=",
  },
];

describe("the messages of SCRAM are those of", () => {
  test.each([...vectors])("$source", async (vector) => {
    const exchange = chooseExchange(vector.offer, vector.context, vector.nonce);
    expect(text(exchange.initialResponse)).toBe(vector.clientFirst);
    expect(text(await exchange.respond(bytes(vector.serverFirst), signal))).toBe(vector.clientFinal);
    expect(exchange.keys).toBeUndefined();
    exchange.finish(bytes(vector.serverFinal));
    expect(exchange.keys?.iterations).toBeGreaterThanOrEqual(4096);
  });
});

describe("a login with SCRAM", () => {
  test("is done when the signature comes with the success", async () => {
    const { exchange, answer } = await prove();
    exchange.finish(bytes(answer));
    expect(exchange.keys?.hash).toBe("sha256");
  });

  test("is done when the signature comes in a challenge, which has an empty answer", async () => {
    const { exchange, answer } = await prove();
    expect(await exchange.respond(bytes(answer), signal)).toHaveLength(0);
    exchange.finish(undefined);
    expect(exchange.keys).toBeDefined();
  });

  test("uses a new nonce of 24 random bytes each time", () => {
    const nonces = Array.from({ length: 100 }, () => {
      const first = text(chooseExchange(offering("SCRAM-SHA-1"), context).initialResponse);
      return first.slice("n,,n=user,r=".length);
    });
    expect(new Set(nonces).size).toBe(100);
    for (const nonce of nonces) expect(nonce).toMatch(/^[A-Za-z0-9+/]{32}$/);
  });

  test.each(["sha1", "sha256", "sha512"] as const)("can be repeated with the keys of the first, %s", async (hash) => {
    const first = await prove(context.secret, { ...server, hash });
    first.exchange.finish(bytes(first.answer));
    const keys = first.exchange.keys;
    if (keys === undefined) throw new Error("The first login left no keys.");
    const second = await prove({ keys }, { ...server, hash });
    second.exchange.finish(bytes(second.answer));
    expect(second.exchange.keys).toEqual(keys);
  });

  test.each([
    ["salt", { ...server, salt: "another salt" }],
    ["iteration count", { ...server, iterations: 4097 }],
  ])("with kept keys needs the password when the %s has changed", async (_, changed) => {
    const { exchange, answer } = await prove();
    exchange.finish(bytes(answer));
    if (exchange.keys === undefined) throw new Error("The first login left no keys.");
    expect(await failureOf(prove({ keys: exchange.keys }, changed))).toBe("password_needed");
  });

  test("has the wrong proof with the wrong password", async () => {
    expect((await prove({ password: "pencils" })).answer).toBe("wrong proof");
  });

  test("takes a password in either Unicode form (RFC 8265)", async () => {
    const password = "p\u00e4ssw\u00f6rd :\u20ac";
    const { answer } = await prove({ password: password.normalize("NFD") }, { ...server, password });
    expect(answer).toStartWith("v=");
  });

  test("is not begun with a password that RFC 8265 does not allow", async () => {
    for (const password of ["", "a\u0000b", "a\u0007b"]) {
      expect(await failureOf(prove({ password }))).toBe("credentials_unusable");
    }
  });

  test("holds on to neither the password nor the kept secret once the proof is made", async () => {
    const { exchange: first, answer } = await prove();
    first.finish(bytes(answer));
    const { keys } = first;
    if (keys === undefined) throw new Error("The first login left no keys.");
    for (const make of [() => ({ password: "pencil" }), () => ({ keys })]) {
      const [exchange, secret] = await (async () => {
        const given = make();
        return [(await prove(given)).exchange, new WeakRef<object>(given)] as const;
      })();
      await settle(() => secret.deref() === undefined);
      expect(secret.deref()).toBeUndefined();
      expect(exchange.mechanism).toBe("SCRAM-SHA-256");
    }
  });

  test("is given up at once, with the signal's reason, when the signal aborts during the computation", async () => {
    const exchange = chooseExchange(offering("SCRAM-SHA-256"), context, "abc");
    const controller = new AbortController();
    const reason = new Failure("login_timeout", "too late");
    const response = exchange.respond(bytes("r=abcd,s=c2FsdA==,i=1000000"), controller.signal);
    controller.abort(reason);
    const started = performance.now();
    expect(await response.catch((error: unknown) => error)).toBe(reason);
    expect(performance.now() - started).toBeLessThan(50);
    expect(() => exchange.finish(undefined)).toThrow("did not prove");
  });
});

/** Garbage collection has no event; each round gives it a chance. */
async function settle(done: () => boolean): Promise<void> {
  for (let round = 0; round < 50 && !done(); round++) {
    Bun.gc(true);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
