/** Every way in which a server says no: one code each, and no more connections than the reaction allows. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Code, codes } from "../../src/errors.ts";
import { saslFailure, stanzaFailure, streamFailure } from "../../src/xmpp/conditions.ts";
import { expectProblem } from "../support/gateway-problem.ts";
import { type HostilePair, startHostilePair } from "../support/hostile-pair.ts";
import type { Fault } from "../support/peer/fault.ts";
import type { PeerOptions } from "../support/peer/options.ts";
import { streamError } from "../support/peer/replies.ts";

const alice = "alice@example.com:secret";
const dave = "dave@example.com:secret";

let pair: HostilePair;
const begin = async (options: PeerOptions = {}, settings: Parameters<typeof startHostilePair>[1] = {}) => {
  pair = await startHostilePair(
    { accounts: { "alice@example.com": "secret", "dave@example.com": "secret" }, ...options },
    settings,
  );
};
afterEach(async () => {
  await pair.expectOthersUntouched();
  await pair[Symbol.asyncDispose]();
});

const post = (body: string, user = alice) => pair.gateway.post("/msg/bob@example.com", body, { user });
const count = () => pair.hostile.connectionCount;

async function codeOf(response: Response): Promise<Code | undefined> {
  const problem = await response.json();
  if (typeof problem !== "object" || problem === null || !("code" in problem)) return undefined;
  return codes.find((code) => code === problem.code);
}

describe("a refusal of the login", () => {
  const sasl = [
    ...["aborted", "account-disabled", "credentials-expired", "encryption-required", "incorrect-encoding"],
    ...["invalid-authzid", "invalid-mechanism", "malformed-request", "mechanism-too-weak", "not-authorized"],
    "temporary-auth-failure",
  ];
  test.each(sasl)("by the SASL failure %s is the code of its row, after one connection", async (condition) => {
    await begin({ fault: { at: "response", how: { saslFailure: condition } } });
    expect(await codeOf(await post("hi"))).toBe(saslFailure(condition, "example.com", undefined).code);
    expect(count()).toBe(1);
  });

  const conditions = [
    ...["bad-format", "bad-namespace-prefix", "conflict", "connection-timeout", "host-gone", "host-unknown"],
    ...["improper-addressing", "internal-server-error", "invalid-from", "invalid-namespace", "invalid-xml"],
    ...["not-authorized", "not-well-formed", "policy-violation", "remote-connection-failed", "reset"],
    ...["resource-constraint", "restricted-xml", "see-other-host", "system-shutdown", "undefined-condition"],
    ...["unsupported-encoding", "unsupported-feature", "unsupported-stanza-type", "unsupported-version"],
  ];
  test.each(conditions)("by the stream error %s is the code of its row, after one connection", async (condition) => {
    await begin({ fault: { at: "restart-features", how: { streamError: condition } } });
    const { code } = streamFailure(condition, "example.com", undefined);
    // Nothing was sent yet that it could complain about.
    expect(await codeOf(await post("hi"))).toBe(code === "stanza_complaint" ? "protocol_error" : code);
    expect(count()).toBe(1);
  });

  const bindError = (condition: string, type: string): Fault => ({
    at: "bind",
    how: {
      send: `<iq id='bind' type='error'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    },
  });
  const others: readonly (readonly [string, Fault, Code])[] = [
    [
      "of STARTTLS",
      { at: "proceed", how: { send: "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" } },
      "tls_failed",
    ],
    ["of a resource, which is in use", bindError("conflict", "cancel"), "server_busy"],
    ["of a resource, of which there are enough", bindError("resource-constraint", "wait"), "server_busy"],
    ["of a resource, which is not allowed", bindError("not-allowed", "cancel"), "login_failed"],
    ["of a resource, for no reason", { at: "bind", how: { send: "<iq id='bind' type='error'/>" } }, "login_failed"],
    ["of the TCP connection, by a reset", { at: "tcp", how: "reset" }, "stream_closed"],
    ["of the TLS connection, by a reset", { at: "tls", how: "reset" }, "stream_closed"],
  ];
  test.each(others)("%s is one code, too, after one connection", async (_, fault, code) => {
    await begin({ fault });
    expect(await codeOf(await post("hi"))).toBe(code);
    expect(count()).toBe(1);
  });

  test("by a closed port is server_unreachable: twice at once, then not for a second", async () => {
    await begin();
    await pair.hostile.stop();
    await expectProblem(await post("1"), 503, "server_unreachable");
    await expectProblem(await post("2"), 503, "server_unreachable");
    const third = await post("3", dave);
    expect(third.headers.get("retry-after")).toBe("1");
    const problem = await expectProblem(third, 503, "server_unreachable");
    expect(problem["detail"]).toContain("It is not tried again for 1 s.");
  });
});

describe("a refusal of a message", () => {
  const conditions = [
    ...["bad-request", "conflict", "feature-not-implemented", "forbidden", "gone", "internal-server-error"],
    ...["item-not-found", "jid-malformed", "not-acceptable", "not-allowed", "not-authorized", "payment-required"],
    ...["policy-violation", "recipient-unavailable", "redirect", "registration-required"],
    ...["remote-server-not-found", "remote-server-timeout", "resource-constraint", "service-unavailable"],
    ...["subscription-required", "undefined-condition", "unexpected-request"],
  ];
  test("is the code of its row, and costs no connection", async () => {
    await begin({ bounce: ({ body }) => ({ condition: body, when: "before-ack" }) });
    for (const condition of conditions) {
      const { code } = stanzaFailure(condition, "cancel", "bob@example.com", undefined);
      expect([condition, await codeOf(await post(condition))]).toEqual([condition, code]);
    }
    expect(count()).toBe(1);
  });
});

describe("a bad password", () => {
  test("is tried once, and then answered from memory", async () => {
    await begin();
    for (let request = 1; request <= 3; request++) {
      await expectProblem(await post("hi", "alice@example.com:wrong"), 401, "credentials_rejected");
      expect(count()).toBe(1);
    }
    expect(pair.gateway.lines.filter(({ msg }) => /back|recover/.test(msg))).toEqual([]);
  });

  test("that was good once is tried once when the connection is lost, and is then no password any more", async () => {
    await begin({ ackPolicy: "never" });
    const reply = post("in flight");
    await pair.hostile.message();
    pair.hostile.change({ accounts: { "alice@example.com": "new", "dave@example.com": "secret" }, ackPolicy: "all" });
    pair.hostile.dropAll();
    await expectProblem(await reply, 504, "connection_lost", "unknown");
    expect(count()).toBe(2);
    await expectProblem(await post("next"), 401, "credentials_rejected");
    expect(count()).toBe(3);
  });
});

describe("a session that another one replaces", () => {
  beforeEach(() => begin());
  const replace = async () => {
    pair.hostile.connections.at(-1)?.send(`${streamError("conflict")}</stream:stream>`);
    await pair.hostile.settled(0);
  };

  test("comes back with the next request, and then not for five minutes", async () => {
    expect((await post("first")).status).toBe(201);
    await replace();
    expect(await pair.ended()).toMatchObject({ code: "session_replaced" });
    // Nobody asks for it now.
    expect(count()).toBe(1);
    expect((await post("second")).status).toBe(201);
    expect(count()).toBe(2);
    await replace();
    for (let request = 0; request < 3; request++) {
      const response = await post("third");
      expect(Number(response.headers.get("retry-after"))).toBeWithin(295, 301);
      await expectProblem(response, 503, "session_replaced");
    }
    // Its password was proven once more, since the account might be gone.
    expect(count()).toBe(3);
    // The others of that host are not meant.
    expect((await post("mine", dave)).status).toBe(201);
  });

  test("is not fought for the sake of a message in flight", async () => {
    pair.hostile.change({ ackPolicy: "never" });
    const reply = post("in flight");
    await pair.hostile.message();
    await replace();
    await expectProblem(await reply, 504, "connection_lost", "unknown");
    expect(count()).toBe(1);
  });
});

describe("a server whose policy is against us", () => {
  test("at a login is left alone for a minute by everybody, whatever they want of it", async () => {
    await begin({ fault: { at: "bind", how: { streamError: "policy-violation" } } });
    await expectProblem(await post("first"), 503, "server_policy");
    for (const user of [undefined, dave, "dave@example.com:other"]) {
      const response = await post("second", user);
      expect(Number(response.headers.get("retry-after"))).toBeWithin(55, 61);
      await expectProblem(response, 503, "server_policy");
    }
    expect(count()).toBe(1);
  });

  test("in one account's session is left alone for a minute by that account, and by nobody else", async () => {
    await begin();
    expect((await post("first")).status).toBe(201);
    expect((await post("first", dave)).status).toBe(201);
    const hers = await pair.hostile.connection(1);
    hers.send(`${streamError("policy-violation")}</stream:stream>`);
    expect(await pair.ended()).toMatchObject({ code: "server_policy" });
    for (let request = 0; request < 3; request++) {
      const response = await post("second");
      expect(Number(response.headers.get("retry-after"))).toBeWithin(55, 61);
      await expectProblem(response, 503, "server_policy");
    }
    // Her password was proven once more, since the account might be gone.
    expect(count()).toBe(3);
    expect((await post("third", dave)).status).toBe(201);
    expect(count()).toBe(3);
  });
});

describe("a server that does not serve the host", () => {
  test("is a 502, and a configuration error that names the host and the setting", async () => {
    await begin({ fault: { at: "header", how: { streamError: "host-unknown" } } });
    const problem = await expectProblem(await post("hi"), 502, "host_unknown");
    expect(problem["detail"]).toBe(
      'The XMPP server of "example.com" ended the connection: it does not serve this domain; the address in DNS, or ' +
        '"connect" under [hosts."example.com"] in the gateway\'s settings, leads to a server of other domains.',
    );
    const line = await pair.gateway.logged(({ msg }) => msg === "login failed: configuration error");
    expect(line).toMatchObject({ domain: "example.com", code: "host_unknown", reason: problem["detail"] });
    expect(count()).toBe(1);
  });
});

describe("a connection that ends for a while", () => {
  const ends = ["system-shutdown", "reset", "connection-timeout", "internal-server-error"];
  test.each(ends)("by %s is made again at once when a message needs it, and not before", async (condition) => {
    await begin();
    const connection = await pair.enter();
    connection.send(`${streamError(condition)}</stream:stream>`);
    await pair.ended();
    expect(count()).toBe(1);
    const startedMs = performance.now();
    expect((await post("next")).status).toBe(201);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(count()).toBe(2);
  });

  // After a reset the password is proven anew before anything else, and the server has forgotten the session.
  const resumed = ends.filter((condition) => condition !== "reset");
  test.each(resumed)("by %s is made again at once for a message in flight, which is then sent", async (condition) => {
    await begin({ fault: { at: "ack", nth: 2, connection: 1, how: { streamError: condition } } });
    await pair.enter();
    const startedMs = performance.now();
    expect((await post("in flight")).status).toBe(201);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect(count()).toBe(2);
    expect(pair.hostile.messages.filter(({ body }) => body === "in flight").length).toBe(1);
  });

  test("again and again is left alone for longer each time", async () => {
    await begin({ fault: { at: "features", how: { streamError: "system-shutdown" } } });
    for (let request = 0; request < 10; request++) await expectProblem(await post("hi"), 503, "server_shutdown");
    expect(count()).toBe(2);
  });
});

describe("a stanza that the server would not take", () => {
  const limits: readonly (readonly [string, PeerOptions, string])[] = [
    ["by what it advertises (XEP-0478)", { maxStanzaBytes: 15_000 }, "256KiB"],
    ["by the host's setting, which is less", { maxStanzaBytes: 100_000 }, "15000B"],
    ["by the host's setting alone", {}, "15000B"],
  ];
  test.each(limits)("is a 413, and nothing of it is sent: %s", async (_, options, maxStanza) => {
    pair = await startHostilePair(options, {}, { max_stanza: maxStanza });
    await pair.enter();
    await expectProblem(await post("x".repeat(20_000)), 413, "stanza_too_large");
    // As bytes, not as characters.
    await expectProblem(await post("ö".repeat(7_500)), 413, "stanza_too_large");
    expect((await post("x".repeat(14_000))).status).toBe(201);
    expect(pair.hostile.messages.map(({ body }) => body.length)).toEqual([9, 14_000]);
    expect(count()).toBe(1);
  });
});
