/** Which mechanism is chosen, for every offer that a server can make. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { chooseExchange, type SaslContext } from "../../src/xmpp/sasl/choose.ts";
import type { ScramKeys } from "../../src/xmpp/sasl/exchange.ts";
import { context } from "../support/scram-login.ts";
import { text } from "../support/scram-server.ts";

const exporter = new Uint8Array(32).fill(7);
const kept = (hash: ScramKeys["hash"]): SaslContext["secret"] => {
  const nothing = new Uint8Array(1);
  return { keys: { hash, salt: nothing, iterations: 4096, clientKey: nothing, serverKey: nothing } };
};

/** The mechanism and its gs2 flag, "PLAIN", or the code of the failure. */
function choice(mechanisms: readonly string[], channelBindings: readonly string[], change: Partial<SaslContext> = {}) {
  try {
    const exchange = chooseExchange({ mechanisms, channelBindings }, { ...context, ...change }, "nonce");
    if (exchange.mechanism === "PLAIN") return "PLAIN";
    return `${exchange.mechanism} ${/^(.*),,n=user,r=nonce$/.exec(text(exchange.initialResponse))?.[1]}`;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

const all = ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"];
const bindable: Partial<SaslContext> = { tlsExporter: exporter };

describe("the choice", () => {
  const cases: readonly (readonly [
    offer: string,
    bindings: readonly string[],
    context: Partial<SaslContext>,
    choice: string,
  ])[] = [
    ["SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-512", [], {}, "SCRAM-SHA-512 n"],
    ["SCRAM-SHA-1 SCRAM-SHA-256 PLAIN", [], {}, "SCRAM-SHA-256 n"],
    ["PLAIN SCRAM-SHA-1", [], {}, "SCRAM-SHA-1 n"],
    ["PLAIN", [], {}, "PLAIN"],
    ["PLAIN ANONYMOUS EXTERNAL DIGEST-MD5 X-OAUTH2 HT-SHA-256-NONE", [], {}, "PLAIN"],

    // "y" when we could bind and nothing of it is offered; "n" when we could not, or not in the way offered.
    ["SCRAM-SHA-1", [], bindable, "SCRAM-SHA-1 y"],
    ["SCRAM-SHA-1", ["tls-exporter"], bindable, "SCRAM-SHA-1 y"],
    ["SCRAM-SHA-1 SCRAM-SHA-1-PLUS", [], bindable, "SCRAM-SHA-1 n"],
    ["SCRAM-SHA-1 SCRAM-SHA-1-PLUS", [], {}, "SCRAM-SHA-1 n"],
    ["SCRAM-SHA-1 SCRAM-SHA-1-PLUS", ["tls-server-end-point", "tls-unique"], bindable, "SCRAM-SHA-1 n"],
    ["SCRAM-SHA-1 SCRAM-SHA-1-PLUS", ["tls-exporter"], {}, "SCRAM-SHA-1 n"],
    ["SCRAM-SHA-1 SCRAM-SHA3-512-PLUS", ["tls-exporter"], bindable, "SCRAM-SHA-1 n"],
    ["SCRAM-SHA-1 SCRAM-SHA-1-PLUS", ["tls-unique", "tls-exporter"], bindable, "SCRAM-SHA-1-PLUS p=tls-exporter"],
    ["SCRAM-SHA-512 SCRAM-SHA-1-PLUS", ["tls-exporter"], bindable, "SCRAM-SHA-1-PLUS p=tls-exporter"],
    [all.join(" "), ["tls-exporter"], bindable, "SCRAM-SHA-256-PLUS p=tls-exporter"],
    ["SCRAM-SHA-1-PLUS", ["TLS-EXPORTER"], bindable, "no_common_mechanism"],

    // PLAIN is never the way around a SCRAM that is offered.
    ["PLAIN SCRAM-SHA-1-PLUS", [], bindable, "no_common_mechanism"],
    ["PLAIN SCRAM-SHA-224", [], {}, "no_common_mechanism"],

    // Kept keys fit one hash only.
    ["SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1", [], { secret: kept("sha1") }, "SCRAM-SHA-1 n"],
    [all.join(" "), ["tls-exporter"], { ...bindable, secret: kept("sha1") }, "SCRAM-SHA-1-PLUS p=tls-exporter"],
    ["SCRAM-SHA-256", [], { secret: kept("sha512") }, "password_needed"],
    ["PLAIN", [], { secret: kept("sha512") }, "password_needed"],
    ["PLAIN SCRAM-SHA-224", [], { secret: kept("sha512") }, "no_common_mechanism"],

    // insecure_plaintext
    ["PLAIN SCRAM-SHA-1", [], { encrypted: false, allowPlaintext: true }, "SCRAM-SHA-1 n"],
    ["PLAIN", [], { encrypted: false, allowPlaintext: true }, "PLAIN"],
    ["SCRAM-SHA-1", [], { ...bindable, encrypted: false, allowPlaintext: true }, "SCRAM-SHA-1 n"],
    ["SCRAM-SHA-1", [], { encrypted: false }, "tls_not_offered"],
    ["PLAIN", [], { encrypted: false }, "tls_not_offered"],

    // Nothing of ours
    ["", [], {}, "no_common_mechanism"],
    ["ANONYMOUS", [], {}, "no_common_mechanism"],
    ["plain scram-sha-1", [], {}, "no_common_mechanism"],
    ["EXTERNAL DIGEST-MD5 LOGIN OAUTHBEARER", [], {}, "no_common_mechanism"],
  ];
  test.each([...cases])("of '%s' with bindings %p, %#", (offer, bindings, change, expected) => {
    const mechanisms = offer === "" ? [] : offer.split(" ");
    expect(choice(mechanisms, bindings, change)).toBe(expected);
    expect(choice(mechanisms.toReversed(), bindings, change)).toBe(expected);
  });

  test("follows the rules for each of 8,192 offers and contexts", () => {
    const hashes = ["SHA-512", "SHA-256", "SHA-1"];
    const names = [...hashes.flatMap((hash) => [`SCRAM-${hash}`, `SCRAM-${hash}-PLUS`]), "PLAIN", "ANONYMOUS"];
    let seen = 0;
    for (let bits = 0; bits < 2 ** (names.length + 5); bits++) {
      const bit = (index: number) => (bits & (1 << index)) !== 0;
      const offered = names.filter((_, index) => bit(index));
      const [listed, exportable, encrypted, allowPlaintext] = [8, 9, 10, 11].map(bit);
      // A fifth bit: a binding type that we do not have is listed too.
      const bindings = [...(listed ? ["tls-exporter"] : []), ...(bit(12) ? ["tls-unique"] : [])];
      const canExport = exportable === true && encrypted === true;
      const canBind = canExport && listed === true;
      const best = (suffix: string) => hashes.map((h) => `SCRAM-${h}${suffix}`).find((name) => offered.includes(name));
      const bound = canBind ? best("-PLUS") : undefined;
      const plusOffered = best("-PLUS") !== undefined;

      let expected = "no_common_mechanism";
      if (encrypted !== true && allowPlaintext !== true) expected = "tls_not_offered";
      else if (bound !== undefined) expected = `${bound} p=tls-exporter`;
      else if (best("") !== undefined) expected = `${best("")} ${canExport && !plusOffered ? "y" : "n"}`;
      else if (offered.includes("PLAIN") && !plusOffered) expected = "PLAIN";

      const change = {
        tlsExporter: exportable ? exporter : undefined,
        encrypted: encrypted === true,
        allowPlaintext: allowPlaintext === true,
      };
      const chosen = choice(offered, bindings, change);
      if (chosen !== expected)
        expect({ offered, bindings, change, chosen }).toEqual({ offered, bindings, change, chosen: expected });
      seen++;
    }
    expect(seen).toBe(8192);
  });
});

describe("the sentence of a failed choice", () => {
  const sentence = (mechanisms: readonly string[]) => {
    try {
      chooseExchange({ mechanisms, channelBindings: [] }, context);
    } catch (error) {
      if (error instanceof Failure) return error.message;
    }
    return "";
  };

  test("names the host, what was offered and what was needed", () => {
    expect(sentence(["EXTERNAL", "DIGEST-MD5"])).toBe(
      'The login at "example.com" could not be done: the server offers "EXTERNAL", "DIGEST-MD5", and SCRAM-SHA-512, SCRAM-SHA-256, SCRAM-SHA-1 or, where there is no SCRAM, PLAIN was needed.',
    );
    expect(sentence([])).toContain("the server offers no mechanism, and");
  });

  test("repeats nothing that is not a mechanism's name", () => {
    const said = sentence([
      "<script>",
      "call +1 555 0100",
      "A".repeat(21),
      ...Array.from({ length: 50 }, (_, at) => `X-${at}`),
    ]);
    expect(said).not.toMatch(/script|555|AAAA|X-12/);
    expect(said).toContain('"X-11"');
  });
});

describe("PLAIN", () => {
  const plain = (password: string) =>
    chooseExchange({ mechanisms: ["PLAIN"], channelBindings: [] }, { ...context, secret: { password } });

  test.each(["pencil", "p\u00e4ssw\u00f6rd :\u20ac", "\u0065\u0301 with spaces ", "=,="])(
    "sends %p as it is, in UTF-8",
    (password) => {
      const exchange = plain(password);
      expect(text(exchange.initialResponse)).toBe(`\0user\0${password}`);
      exchange.finish(undefined);
      expect(exchange.keys).toBeUndefined();
    },
  );

  test("wipes the password once the login is done", () => {
    const exchange = plain("pencil");
    exchange.finish(undefined);
    expect(exchange.initialResponse.every((byte) => byte === 0)).toBe(true);
  });

  test.each(["", "a\0b"])("does not take the password %p", (password) => {
    expect(() => plain(password)).toThrow("The password cannot be used");
  });

  test("has no answer to a challenge", async () => {
    const answer = plain("pencil").respond(new Uint8Array(), new AbortController().signal);
    expect(await answer.catch((error: unknown) => error)).toHaveProperty("code", "protocol_error");
  });
});
