/** From a domain to endpoints: RFC 6120 section 3.2 and XEP-0368, with a DNS that is made up. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { type Endpoint, type Lookup, resolveEndpoints } from "../../src/xmpp/resolve.ts";
import type { SrvRecord } from "../../src/xmpp/srv.ts";

type Answer = readonly SrvRecord[] | Error | "silence";

const direct = "_xmpps-client._tcp.example.com";
const starttls = "_xmpp-client._tcp.example.com";
const none: Answer = [];
const dot: Answer = [srv("", { port: 0 })];
const servfail = new Error("querySrv ESERVFAIL");
const neverAborted = new AbortController().signal;

function srv(target: string, over: Partial<SrvRecord> = {}): SrvRecord {
  return { target, priority: 0, weight: 0, port: 5222, ...over };
}

function madeUpDns(answers: Record<string, Answer>): { lookup: Lookup; asked: string[] } {
  const asked: string[] = [];
  const unexpected = (name: string) => Promise.reject(new Error(`The address of ${name} was asked for.`));
  const lookup: Lookup = {
    srv: async (name) => {
      asked.push(name);
      const answer = answers[name] ?? none;
      if (answer === "silence") return new Promise(() => {});
      if (answer instanceof Error) throw answer;
      return answer;
    },
    a: unexpected,
    aaaa: unexpected,
  };
  return { lookup, asked };
}

function resolve(answers: Record<string, Answer>, domain = "example.com"): Promise<readonly Endpoint[]> {
  const options = { random: () => 0, timeoutMs: 20 };
  return resolveEndpoints(domain, madeUpDns(answers).lookup, neverAborted, options);
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error("No Failure.", { cause: error });
}

const fallback: Endpoint = { hostname: "example.com", port: 5222, tls: "starttls" };

describe("the endpoints of a domain", () => {
  test("come from both services, as one list by priority", async () => {
    const endpoints = await resolve({
      [direct]: [srv("d.example.com", { priority: 10, port: 443 })],
      [starttls]: [srv("last.example.com", { priority: 20 }), srv("first.example.com", { priority: 5 })],
    });
    expect(endpoints).toEqual([
      { hostname: "first.example.com", port: 5222, tls: "starttls" },
      { hostname: "d.example.com", port: 443, tls: "direct" },
      { hostname: "last.example.com", port: 5222, tls: "starttls" },
    ]);
  });

  const one: Answer = [srv("xmpp.example.com")];
  const viaStarttls: Endpoint = { hostname: "xmpp.example.com", port: 5222, tls: "starttls" };
  const viaDirect: Endpoint = { hostname: "xmpp.example.com", port: 5222, tls: "direct" };
  const guess: Endpoint = { ...fallback, srvFailure: servfail };

  const table: readonly [string, Answer, Answer, Endpoint][] = [
    ["no records: the domain itself", none, none, fallback],
    ["no direct TLS, and nothing said about STARTTLS: the domain itself", dot, none, fallback],
    ["direct TLS alone", one, none, viaDirect],
    ["direct TLS, and STARTTLS not offered", one, dot, viaDirect],
    ["STARTTLS, and direct TLS not offered", dot, one, viaStarttls],
    ["the one that could be looked up: STARTTLS", servfail, one, viaStarttls],
    ["the one that could be looked up: direct TLS", one, servfail, viaDirect],
    ["neither could be looked up: the domain itself, as a guess", servfail, servfail, guess],
    ["STARTTLS could not be looked up: the domain itself, as a guess", none, servfail, guess],
    ["direct TLS could not be looked up: the domain itself, as a guess", servfail, none, guess],
    ["usable records beside a useless one", none, [...dot, ...one, srv("192.0.2.1")], viaStarttls],
  ];
  test.each(table)("%s", async (_, directAnswer, starttlsAnswer, expected) => {
    expect(await resolve({ [direct]: directAnswer, [starttls]: starttlsAnswer })).toEqual([expected]);
  });

  test("a DNS that is silent is given up and the domain itself tried", async () => {
    const [endpoint] = await resolve({ [direct]: "silence", [starttls]: "silence" });
    expect(endpoint).toMatchObject(fallback);
    expect(String(endpoint?.srvFailure)).toContain("within 20 ms");
  });

  test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["[2001:db8::7]", "2001:db8::7"],
  ])("a domain that is an address is used without DNS: %s", async (domain, hostname) => {
    const { lookup, asked } = madeUpDns({});
    expect(await resolveEndpoints(domain, lookup, neverAborted)).toEqual([{ hostname, port: 5222, tls: "starttls" }]);
    expect(asked).toEqual([]);
  });

  test("are asked for by the A-labels of the domain, and nothing else is asked", async () => {
    const { lookup, asked } = madeUpDns({
      "_xmpp-client._tcp.xn--bcher-kva.example": [srv("elsewhere.example"), srv("_xmpp-client._tcp.loop.example")],
    });
    await resolveEndpoints("bücher.example", lookup, neverAborted);
    expect(asked).toEqual(["_xmpps-client._tcp.xn--bcher-kva.example", "_xmpp-client._tcp.xn--bcher-kva.example"]);
  });
});

describe("no endpoint is found", () => {
  const numeric: Answer = [srv("192.0.2.1"), srv("a.example", { port: 0 })];
  const table: readonly [string, Answer, Answer, Failure["code"], string][] = [
    ["where the domain offers nothing", dot, dot, "server_unreachable", "offers no XMPP service"],
    ["where STARTTLS is not offered and direct TLS not mentioned", none, dot, "server_unreachable", "offers no XMPP"],
    ["where direct TLS, the only one left, could not be looked up", servfail, dot, "name_lookup_failed", "no answer"],
    ["where every record is useless", none, numeric, "server_unreachable", "usable host name"],
    ["where every record for direct TLS is useless", numeric, none, "server_unreachable", "usable host name"],
  ];
  test.each(table)("%s", async (_, directAnswer, starttlsAnswer, code, words) => {
    const failure = await failureOf(resolve({ [direct]: directAnswer, [starttls]: starttlsAnswer }));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(words);
    expect(failure.message).toContain('"example.com"');
  });

  test.each(["a b.example", "127.1", "2130706433", "0x7f000001", `${"a".repeat(64)}.example`, "a..b", ""])(
    "where the domain cannot be a DNS name: %p",
    async (domain) => {
      const { lookup, asked } = madeUpDns({});
      expect((await failureOf(resolveEndpoints(domain, lookup, neverAborted))).code).toBe("name_not_found");
      expect(asked).toEqual([]);
    },
  );

  test("once the signal aborts, even if DNS stays silent", async () => {
    const controller = new AbortController();
    const { lookup } = madeUpDns({ [direct]: "silence", [starttls]: "silence" });
    const waiting = resolveEndpoints("example.com", lookup, controller.signal);
    const reason = new Failure("shutting_down", "The gateway is being stopped.");
    controller.abort(reason);
    expect(await failureOf(waiting)).toBe(reason);
  });
});
