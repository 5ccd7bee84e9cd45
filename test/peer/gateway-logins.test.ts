/** The status table: every way in which a login can fail. The real app in front of the scripted peer. */

import { describe, expect, test } from "bun:test";
import type { Code } from "../../src/errors.ts";
import { makeAuthority } from "../support/ca.ts";
import { findFreePort } from "../support/free-port.ts";
import { type GatewayOptions, startGateway } from "../support/gateway.ts";
import { hostOf } from "../support/gateway-config.ts";
import { expectProblem } from "../support/gateway-problem.ts";
import { bindNamespace, saslNamespace, tlsNamespace } from "../support/peer/namespaces.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { startPeer } from "../support/peer/peer.ts";

const dayMs = 24 * 60 * 60 * 1000;

interface Refusal {
  readonly peer?: PeerOptions;
  readonly gateway?: Partial<GatewayOptions>;
  /** Undefined: any number of bytes of SASL may have gone out. */
  readonly sawSasl?: false;
}

const authority = await makeAuthority();
const certificateOf = (request: Parameters<typeof authority.issue>[0]) => authority.issue(request);
const withoutStartTls = "<stream:features/>";
const refusedTls = `<failure xmlns='${tlsNamespace}'/></stream:stream>`;
const refusedBind = `<iq type='error' id='bind'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`;
const foreignBind = `<iq type='result' id='bind'><bind xmlns='${bindNamespace}'><jid>eve@example.com/x</jid></bind></iq>`;

const logins: readonly (readonly [status: number, code: Code, why: string, make: () => Promise<Refusal>])[] = [
  [
    502,
    "certificate_expired",
    "the certificate ran out yesterday",
    async () => ({
      peer: {
        certificate: await certificateOf({ dnsNames: ["example.com"], notAfter: new Date(Date.now() - dayMs / 2) }),
      },
      sawSasl: false,
    }),
  ],
  [
    502,
    "certificate_not_yet_valid",
    "the certificate begins tomorrow",
    async () => ({
      peer: {
        certificate: await certificateOf({ dnsNames: ["example.com"], notBefore: new Date(Date.now() + dayMs) }),
      },
      sawSasl: false,
    }),
  ],
  [
    502,
    "certificate_name_mismatch",
    "the certificate is for another name",
    async () => ({ peer: { certificate: await certificateOf({ dnsNames: ["example.net"] }) }, sawSasl: false }),
  ],
  [
    502,
    "certificate_name_mismatch",
    "the certificate is for the address that is connected to",
    async () => ({ peer: { certificate: await certificateOf({ ipAddresses: ["127.0.0.1"] }) }, sawSasl: false }),
  ],
  [
    502,
    "certificate_self_signed",
    "the certificate vouches for itself",
    async () => ({ peer: { certificate: await authority.selfSigned({ dnsNames: ["example.com"] }) }, sawSasl: false }),
  ],
  [
    502,
    "certificate_untrusted",
    "the certificate is of another authority",
    async () => ({
      peer: { certificate: await (await makeAuthority()).issue({ dnsNames: ["example.com"] }) },
      sawSasl: false,
    }),
  ],
  [
    502,
    "tls_failed",
    "TLS 1.1 at most",
    async () => ({ peer: { minVersion: "TLSv1", maxVersion: "TLSv1.1" }, sawSasl: false }),
  ],
  [
    502,
    "tls_failed",
    "garbage in the TLS handshake",
    async () => ({ peer: { security: "direct", fault: { at: "tls", how: "garbage" } }, sawSasl: false }),
  ],
  [
    502,
    "tls_injection",
    "words in the clear before the TLS handshake",
    async () => ({ peer: { answers: { proceed: (proper) => `${proper}<stream:features/>` } }, sawSasl: false }),
  ],
  [
    502,
    "tls_failed",
    "the server refuses STARTTLS",
    async () => ({ peer: { answers: { proceed: () => refusedTls } }, sawSasl: false }),
  ],
  [
    502,
    "tls_not_offered",
    "no STARTTLS",
    async () => ({ peer: { answers: { features: () => withoutStartTls } }, sawSasl: false }),
  ],
  [502, "tls_not_offered", "SASL without TLS", async () => ({ peer: { security: "plain" }, sawSasl: false })],
  [
    502,
    "no_common_mechanism",
    "no mechanism but ANONYMOUS",
    async () => ({ peer: { mechanisms: ["ANONYMOUS"] }, sawSasl: false }),
  ],
  [
    502,
    "server_not_proven",
    "a server that does not know the password",
    async () => ({
      peer: {
        answers: {
          success: () => `<success xmlns='${saslNamespace}'>dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9</success>`,
        },
      },
    }),
  ],
  [
    502,
    "host_unknown",
    "the server does not serve the domain",
    async () => ({ peer: { fault: { at: "header", how: { streamError: "host-unknown" } } }, sawSasl: false }),
  ],
  [
    502,
    "redirect",
    "the server points to another host",
    async () => ({ peer: { fault: { at: "header", how: { streamError: "see-other-host" } } }, sawSasl: false }),
  ],
  [
    502,
    "protocol_error",
    "the server speaks no XML",
    async () => ({ peer: { fault: { at: "header", how: "garbage" } }, sawSasl: false }),
  ],
  [
    502,
    "protocol_error",
    "the server binds another address",
    async () => ({ peer: { answers: { bind: () => foreignBind } } }),
  ],
  [
    401,
    "credentials_rejected",
    "the account is disabled",
    async () => ({ peer: { fault: { at: "auth", how: { saslFailure: "account-disabled" } } } }),
  ],
  [
    503,
    "login_temporarily_failed",
    "the server cannot check passwords now",
    async () => ({ peer: { fault: { at: "auth", how: { saslFailure: "temporary-auth-failure" } } } }),
  ],
  [
    503,
    "server_unreachable",
    "nobody listens",
    async () => ({
      gateway: { hosts: { "example.com": { connect: `xmpp://127.0.0.1:${await findFreePort()}` } } },
      sawSasl: false,
    }),
  ],
  [
    503,
    "name_not_found",
    "the server's name leads nowhere",
    async () => ({ gateway: { hosts: { "example.com": { connect: "xmpp://xmpp.invalid" } } }, sawSasl: false }),
  ],
  [
    503,
    "login_timeout",
    "the login is not done in login_timeout",
    async () => ({
      peer: { fault: { at: "challenge", how: "hang" } },
      gateway: { settings: { sessions: { login_timeout: "200ms" } } },
    }),
  ],
  [503, "server_busy", "the server has no room", async () => ({ peer: { answers: { bind: () => refusedBind } } })],
  [
    503,
    "server_shutdown",
    "the server shuts down during the login",
    async () => ({ peer: { fault: { at: "bind", how: { streamError: "system-shutdown" } } } }),
  ],
  [
    503,
    "stream_closed",
    "the server resets the connection during the login",
    async () => ({ peer: { fault: { at: "challenge", how: "reset" } } }),
  ],
  [
    503,
    "stream_closed",
    "the server closes the connection at once",
    async () => ({ peer: { fault: { at: "tcp", how: "close" } } }),
  ],
];

describe("a login that fails", () => {
  test.each(logins)("is a %d %s: %s", async (status, code, _, make) => {
    const refusal = await make();
    const peer = await startPeer({ authority, ...refusal.peer });
    const scheme = refusal.peer?.security === "direct" ? "xmpps" : "xmpp";
    try {
      await using gateway = await startGateway({ hosts: hostOf(peer, {}, scheme), ...refusal.gateway });
      await expectProblem(await gateway.post("/msg/bob@example.com", "hi"), status, code);
      expect(peer.messages).toEqual([]);
      if (refusal.sawSasl === false) expect(peer.sawSasl).toBe(false);
      await peer.settled(0);
    } finally {
      await peer.stop();
    }
  });
});
