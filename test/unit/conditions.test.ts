/** What the XMPP side says -> our code, row by row. */

import { describe, expect, test } from "bun:test";
import type { Code } from "../../src/errors.ts";
import {
  type SaslCondition,
  type StanzaCondition,
  type StreamCondition,
  saslFailure,
  stanzaFailure,
  streamFailure,
} from "../../src/xmpp/conditions.ts";

const sasl: Readonly<Record<SaslCondition, Code>> = {
  aborted: "login_failed",
  "account-disabled": "credentials_rejected",
  "credentials-expired": "credentials_rejected",
  "encryption-required": "no_common_mechanism",
  "incorrect-encoding": "login_failed",
  "invalid-authzid": "credentials_rejected",
  "invalid-mechanism": "no_common_mechanism",
  "malformed-request": "login_failed",
  "mechanism-too-weak": "no_common_mechanism",
  "not-authorized": "credentials_rejected",
  "temporary-auth-failure": "login_temporarily_failed",
};

const stream: Readonly<Record<StreamCondition, Code>> = {
  "bad-format": "stanza_complaint",
  "bad-namespace-prefix": "stanza_complaint",
  conflict: "session_replaced",
  "connection-timeout": "stream_closed",
  "host-gone": "host_unknown",
  "host-unknown": "host_unknown",
  "improper-addressing": "protocol_error",
  "internal-server-error": "stream_closed",
  "invalid-from": "protocol_error",
  "invalid-namespace": "stanza_complaint",
  "invalid-xml": "stanza_complaint",
  "not-authorized": "login_expired",
  "not-well-formed": "stanza_complaint",
  "policy-violation": "server_policy",
  "remote-connection-failed": "login_temporarily_failed",
  reset: "login_expired",
  "resource-constraint": "server_busy",
  "restricted-xml": "stanza_complaint",
  "see-other-host": "redirect",
  "system-shutdown": "server_shutdown",
  "undefined-condition": "stream_closed",
  "unsupported-encoding": "protocol_error",
  "unsupported-feature": "protocol_error",
  "unsupported-stanza-type": "stanza_complaint",
  "unsupported-version": "protocol_error",
};

/** The second code is the one with type="wait". */
const stanza: Readonly<Record<StanzaCondition, readonly [Code, Code]>> = {
  "bad-request": ["bad_request", "bad_request"],
  conflict: ["conflict", "conflict"],
  "feature-not-implemented": ["feature_not_implemented", "temporarily_refused"],
  forbidden: ["forbidden", "forbidden"],
  gone: ["gone", "gone"],
  "internal-server-error": ["internal_server_error", "temporarily_refused"],
  "item-not-found": ["item_not_found", "item_not_found"],
  "jid-malformed": ["jid_malformed", "jid_malformed"],
  "not-acceptable": ["not_acceptable", "not_acceptable"],
  "not-allowed": ["not_allowed", "not_allowed"],
  "not-authorized": ["not_authorized", "temporarily_refused"],
  "payment-required": ["payment_required", "payment_required"],
  "policy-violation": ["policy_violation", "policy_violation"],
  "recipient-unavailable": ["recipient_unavailable", "recipient_unavailable"],
  redirect: ["redirect", "temporarily_refused"],
  "registration-required": ["registration_required", "registration_required"],
  "remote-server-not-found": ["remote_server_not_found", "temporarily_refused"],
  "remote-server-timeout": ["remote_server_timeout", "remote_server_timeout"],
  "resource-constraint": ["resource_constraint", "resource_constraint"],
  "service-unavailable": ["service_unavailable", "service_unavailable"],
  "subscription-required": ["subscription_required", "subscription_required"],
  "undefined-condition": ["undefined_condition", "temporarily_refused"],
  "unexpected-request": ["unexpected_request", "temporarily_refused"],
};

const strangers = ["", "no-such-condition", "constructor", "__proto__", "toString", "NOT-AUTHORIZED", "login-failed"];
const upstream = new Error("the server's own words");

describe("a SASL failure", () => {
  test("has 11 conditions", () => expect(Object.keys(sasl)).toHaveLength(11));

  test.each(Object.entries(sasl))("%s is %s", (condition, code) => {
    const failure = saslFailure(condition, "example.com", upstream);
    expect(failure.code).toBe(code);
    expect(failure.cause).toBe(upstream);
    expect(failure.message).toMatch(/^The login at "example\.com" was refused: [a-z].*[^.]\.$/);
    expect(failure.message).not.toContain("own words");
  });

  test.each(strangers)("of an unknown name, %p, is login_failed", (condition) => {
    expect(saslFailure(condition, "example.com", upstream).code).toBe("login_failed");
  });

  test("says the same for every state of an account", () => {
    const rejections = Object.keys(sasl)
      .map((condition) => saslFailure(condition, "example.com", upstream))
      .filter(({ code }) => code === "credentials_rejected");
    expect(rejections).toHaveLength(4);
    expect(new Set(rejections.map(({ message }) => message)).size).toBe(1);
  });
});

describe("a stream error", () => {
  test("has 25 conditions", () => expect(Object.keys(stream)).toHaveLength(25));

  test.each(Object.entries(stream))("%s is %s", (condition, code) => {
    const failure = streamFailure(condition, "example.com", upstream);
    expect(failure.code).toBe(code);
    expect(failure.cause).toBe(upstream);
    expect(failure.message).toMatch(/^The XMPP server of "example\.com" ended the connection: [a-z].*[^.]\.$/);
  });

  test("that says that the host is not served names the host and the setting", () => {
    for (const condition of ["host-unknown", "host-gone"]) {
      const { message } = streamFailure(condition, "example.com", upstream);
      expect(message).toContain(`"connect" under [hosts."example.com"]`);
    }
  });

  test.each(strangers)("of an unknown name, %p, is stream_closed", (condition) => {
    expect(streamFailure(condition, "example.com", upstream).code).toBe("stream_closed");
  });
});

describe("a stanza error", () => {
  test("has 22 conditions and payment-required", () => expect(Object.keys(stanza)).toHaveLength(23));

  test.each(Object.entries(stanza))("%s is %p, the second with type wait", (condition, [code, waitCode]) => {
    for (const type of [undefined, "cancel", "continue", "modify", "auth", "WAIT", ""]) {
      const failure = stanzaFailure(condition, type, "bob@example.org", upstream);
      expect(failure.code).toBe(code);
      expect(failure.cause).toBe(upstream);
      expect(failure.message).toMatch(/^The message to "bob@example\.org" was refused: [a-z].*[^.]\.$/);
    }
    const waiting = stanzaFailure(condition, "wait", "bob@example.org", upstream);
    expect(waiting.code).toBe(waitCode);
    expect(waiting.message.endsWith("the server says that this is temporary.")).toBe(
      waitCode === "temporarily_refused",
    );
  });

  test.each(strangers)("of an unknown name, %p, is undefined_condition", (condition) => {
    expect(stanzaFailure(condition, "cancel", "bob@example.org", upstream).code).toBe("undefined_condition");
    expect(stanzaFailure(condition, "wait", "bob@example.org", upstream).code).toBe("temporarily_refused");
  });

  test("never leaves it open whether the message was sent", () => {
    for (const condition of Object.keys(stanza)) {
      expect(stanzaFailure(condition, "wait", "bob@example.org", upstream).outcome).toBe("not_sent");
    }
  });
});
