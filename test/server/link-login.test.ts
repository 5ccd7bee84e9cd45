/** Real logins: Prosody and ejabberd, SCRAM and PLAIN inside TLS, by STARTTLS and direct TLS, with plain and odd passwords. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spyOnMechanisms } from "../support/chosen-mechanism.ts";
import { startEjabberd } from "../support/ejabberd.ts";
import { attemptLogin } from "../support/login-attempt.ts";
import { startProsody } from "../support/prosody.ts";
import type { RealServer } from "../support/real-server.ts";

const accounts = {
  "alice@example.com": "correct horse battery staple",
  "bob@example.com": "pässwörd :€",
} as const;

const servers: readonly (readonly [string, () => Promise<RealServer>, RegExp])[] = [
  ["Prosody", () => startProsody({ accounts }), /^SCRAM-SHA-(1|256)$/],
  [
    "Prosody with PLAIN alone",
    () =>
      startProsody({
        accounts,
        extraConfig: 'disable_sasl_mechanisms = { "SCRAM-SHA-1", "SCRAM-SHA-256", "DIGEST-MD5", "OAUTHBEARER" }',
      }),
    /^PLAIN$/,
  ],
  [
    "ejabberd, which stores SCRAM keys",
    () => startEjabberd({ accounts, extraConfig: { auth_password_format: "scram" } }),
    /^SCRAM-SHA-(1|256|512)$/,
  ],
  [
    "ejabberd with PLAIN alone",
    () =>
      startEjabberd({
        accounts,
        extraConfig: {
          disable_sasl_mechanisms: [
            "scram-sha-1",
            "scram-sha-256",
            "scram-sha-512",
            "scram-sha-1-plus",
            "scram-sha-256-plus",
            "scram-sha-512-plus",
            "digest-md5",
            "x-oauth2",
          ],
        },
      }),
    /^PLAIN$/,
  ],
];

describe.each(servers)("%s", (_name, startServer, expectedMechanism) => {
  let server: RealServer;

  beforeAll(async () => {
    server = await startServer();
  }, 60_000);
  afterAll(() => server?.stop(), 30_000);

  const logIn = async (local: string, password: string, tls: "starttls" | "direct") => {
    const port = tls === "direct" ? server.directTlsPort : server.c2sPort;
    using mechanisms = spyOnMechanisms();
    const attempt = attemptLogin({ peer: { ...server, port }, ca: server.authority, tls, local, password });
    const outcome = await attempt.outcome;
    await attempt.end();
    return { outcome, mechanisms: mechanisms.chosen };
  };

  for (const tls of ["starttls", "direct"] as const) {
    test.each([
      ["an ASCII password", "alice", accounts["alice@example.com"]],
      ["a password with letters, a space, a colon and a sign beyond ASCII", "bob", accounts["bob@example.com"]],
    ])(`lets in %s (${tls})`, async (_what, local, password) => {
      const { outcome, mechanisms } = await logIn(local, password, tls);
      expect(outcome).toBe("logged in");
      expect(mechanisms).toEqual([expect.stringMatching(expectedMechanism)]);
    });
  }

  test.each([
    ["a wrong password", "alice", "correct horse battery stable"],
    ["a password that differs in a letter beyond ASCII", "bob", "passwörd :€"],
    ["an account that does not exist", "nobody", "secret"],
  ])("does not let in %s", async (_what, local, password) => {
    expect((await logIn(local, password, "starttls")).outcome).toBe("credentials_rejected");
  });
});
