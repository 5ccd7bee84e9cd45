/**
 * SASL on a real link: channel binding (RFC 9266) and its downgrades, which mechanism the password is given to, and a
 * server that does not prove itself.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import type { Authority } from "../support/ca.ts";
import { makeAuthority } from "../support/ca.ts";
import { attemptLogin } from "../support/login-attempt.ts";
import type { PeerConnection } from "../support/peer/connection.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { startPeer } from "../support/peer/peer.ts";
import { rewriteSasl } from "../support/peer/replies.ts";

let authority: Authority;

beforeAll(async () => {
  authority = await makeAuthority();
});

interface Spoken {
  readonly outcome: string;
  /** Of the one `<auth/>` that was sent; undefined when none was. */
  readonly mechanism: string | undefined;
  /** The gs2 header of SCRAM. */
  readonly gs2: string | undefined;
  /** While the link was up. */
  readonly protocol: string | null | undefined;
  readonly connection: PeerConnection;
}

async function logIn(options: PeerOptions, password?: string): Promise<Spoken> {
  const peer = await startPeer({ authority, ...options });
  try {
    const tls = options.security === "direct" ? "direct" : "starttls";
    const attempt = attemptLogin({ peer, ca: authority, tls, ...(password === undefined ? {} : { password }) });
    const outcome = await attempt.outcome;
    const connection = await peer.connection(1);
    const protocol = connection.wire.tls?.getProtocol();
    await attempt.end();
    const auths = connection.stanzas.filter(({ name }) => name === "auth");
    expect(auths.length).toBeLessThanOrEqual(1);
    const [, initial] = />([^<]*)</.exec(auths[0]?.raw ?? "") ?? [];
    const gs2 = /^(?:n|y|p=[a-z-]+),,/.exec(Buffer.from(initial ?? "", "base64").toString())?.[0];
    return { outcome, mechanism: auths[0]?.attributes["mechanism"], gs2, protocol, connection };
  } finally {
    await peer.stop();
  }
}

const plain = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"];
const plus = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"];
const all = [...plain, ...plus];

describe("channel binding", () => {
  test.each([
    [
      "tls-exporter, where the server lists it",
      "starttls",
      all,
      ["tls-exporter"],
      undefined,
      "SCRAM-SHA-512-PLUS",
      "p=tls-exporter,,",
    ],
    [
      "tls-exporter on direct TLS too",
      "direct",
      all,
      ["tls-server-end-point", "tls-exporter"],
      undefined,
      "SCRAM-SHA-512-PLUS",
      "p=tls-exporter,,",
    ],
    [
      "tls-exporter before a stronger hash without it",
      "starttls",
      [...plain, "SCRAM-SHA-1-PLUS"],
      ["tls-exporter"],
      undefined,
      "SCRAM-SHA-1-PLUS",
      "p=tls-exporter,,",
    ],
    ["n where -PLUS is offered without a list of types", "starttls", all, undefined, undefined, "SCRAM-SHA-512", "n,,"],
    [
      "n where only other types are listed",
      "starttls",
      all,
      ["tls-server-end-point", "tls-unique"],
      undefined,
      "SCRAM-SHA-512",
      "n,,",
    ],
    ["y where no -PLUS is offered", "starttls", plain, undefined, undefined, "SCRAM-SHA-512", "y,,"],
    [
      "y where tls-exporter is listed and no -PLUS is offered",
      "starttls",
      plain,
      ["tls-exporter"],
      undefined,
      "SCRAM-SHA-512",
      "y,,",
    ],
    [
      "n on TLS 1.2, which cannot do tls-exporter by RFC 9266",
      "starttls",
      all,
      ["tls-exporter"],
      "TLSv1.2",
      "SCRAM-SHA-512",
      "n,,",
    ],
  ] as const)("is %s", async (_name, security, mechanisms, channelBindings, maxVersion, mechanism, gs2) => {
    const spoken = await logIn({ security, mechanisms, channelBindings, maxVersion });
    const protocol = maxVersion ?? "TLSv1.3";
    expect(spoken).toMatchObject({ outcome: "logged in", mechanism, gs2, protocol });
  });

  test("fails where TLS ends at somebody in between", async () => {
    const spoken = await logIn({
      mechanisms: all,
      channelBindings: ["tls-exporter"],
      answers: {
        // What the real server would have exported from a TLS connection of its own.
        "tls-features": (proper, connection) => {
          connection.exportKeyingMaterial = () => new Uint8Array(32);
          return proper;
        },
      },
    });
    expect(spoken).toMatchObject({ outcome: "credentials_rejected", mechanism: "SCRAM-SHA-512-PLUS" });
  });

  test("fails where somebody in between has removed the -PLUS mechanisms from the offer", async () => {
    const spoken = await logIn({
      mechanisms: all,
      channelBindings: ["tls-exporter"],
      answers: { "tls-features": (proper) => proper.replaceAll(/<mechanism>[^<]*-PLUS<\/mechanism>/g, "") },
    });
    expect(spoken).toMatchObject({ outcome: "credentials_rejected", mechanism: "SCRAM-SHA-512", gs2: "y,," });
  });
});

describe("the mechanism", () => {
  test.each([
    ["the strongest SCRAM", plain.toReversed(), "SCRAM-SHA-512"],
    ["SCRAM-SHA-256 without SHA-512", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"], "SCRAM-SHA-256"],
    ["SCRAM-SHA-1 rather than PLAIN", ["PLAIN", "SCRAM-SHA-1"], "SCRAM-SHA-1"],
    ["PLAIN where there is no SCRAM", ["ANONYMOUS", "EXTERNAL", "DIGEST-MD5", "PLAIN"], "PLAIN"],
  ] as const)("is %s", async (_name, mechanisms, mechanism) => {
    expect(await logIn({ mechanisms })).toMatchObject({ outcome: "logged in", mechanism });
  });

  test.each([
    ["only ANONYMOUS", ["ANONYMOUS"]],
    ["only what is outdated", ["DIGEST-MD5", "CRAM-MD5", "LOGIN", "X-OAUTH2", "EXTERNAL"]],
    ["a SCRAM that is not known beside PLAIN", ["SCRAM-SHA3-512", "PLAIN"]],
    ["only -PLUS, without a type", plus],
    ["nothing", []],
  ] as const)("is none where the server offers %s", async (_name, mechanisms) => {
    const spoken = await logIn({ mechanisms });
    expect(spoken).toMatchObject({ outcome: "no_common_mechanism", mechanism: undefined });
    expect(spoken.connection.sawSasl).toBe(false);
  });

  test.each(["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"])("takes any password: %s", async (mechanism) => {
    const password = "pässwörd :€, =\u{1F511}";
    const accounts = { "alice@example.com": password };
    expect(await logIn({ mechanisms: [mechanism], accounts }, password)).toMatchObject({ outcome: "logged in" });
    expect(await logIn({ mechanisms: [mechanism], accounts }, "passwörd")).toMatchObject({
      outcome: "credentials_rejected",
    });
  });
});

describe("a server that does not prove itself is given up:", () => {
  const altered = (pattern: RegExp, by: string) => (proper: string) =>
    rewriteSasl(proper, (text) => text.replace(pattern, by));
  test.each<[string, PeerOptions, sawProof: boolean]>([
    ["a nonce of its own", { answers: { challenge: altered(/^r=...../, "r=evil!") } }, false],
    [
      "the gateway's nonce alone",
      {
        answers: {
          challenge: (proper, { stanzas }) =>
            rewriteSasl(proper, (text) =>
              text.replace(/^r=[^,]*/, `r=${clientNonce(stanzas.find(({ name }) => name === "auth")?.raw)}`),
            ),
        },
      },
      false,
    ],
    ["too few iterations", { iterations: 4_095 }, false],
    ["too many iterations", { answers: { challenge: altered(/i=\d+/, "i=1000001") } }, false],
    ["a mandatory extension", { answers: { challenge: altered(/^/, "m=x,") } }, false],
    ["a wrong signature", { answers: { success: altered(/^v=.*/, `v=${Buffer.alloc(64).toString("base64")}`) } }, true],
    ["no signature", { answers: { success: () => "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" } }, true],
    [
      "success before the proof",
      { answers: { challenge: () => "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" } },
      false,
    ],
  ])("%s", async (_name, options, sawProof) => {
    const { outcome, connection } = await logIn({ mechanisms: ["SCRAM-SHA-512"], ...options });
    expect(outcome).toBe("server_not_proven");
    expect(connection.stanzas.some(({ name }) => name === "response")).toBe(sawProof);
    expect(connection.jid).toBeUndefined();
  });
});

function clientNonce(auth: string | undefined): string {
  const [, initial] = />([^<]*)</.exec(auth ?? "") ?? [];
  return /,r=(.*)$/.exec(Buffer.from(initial ?? "", "base64").toString())?.[1] ?? "";
}
