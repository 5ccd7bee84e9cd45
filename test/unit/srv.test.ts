/** DNS SRV: the order of RFC 2782, and records that a hostile zone may hold. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isHostname, maxTargets, orderRecords, type ServiceRecord } from "../../src/xmpp/srv.ts";

function record(target: string, over: Partial<ServiceRecord> = {}): ServiceRecord {
  return { target, priority: 0, weight: 0, port: 5222, tls: "starttls", ...over };
}

function targets(records: readonly ServiceRecord[], random: () => number = () => 0): string[] {
  return orderRecords(records, random).map(({ target }) => target);
}

describe("the order of SRV records", () => {
  test("goes by ascending priority, over both services", () => {
    const records = [
      record("c.example", { priority: 30, tls: "direct" }),
      record("a.example", { priority: 5 }),
      record("b.example", { priority: 20, tls: "direct" }),
    ];
    expect(targets(records)).toEqual(["a.example", "b.example", "c.example"]);
  });

  test.each([
    [0, ["zero.example", "one.example", "three.example"]],
    [0.2, ["one.example", "zero.example", "three.example"]],
    [0.21, ["one.example", "zero.example", "three.example"]],
    [0.99, ["three.example", "one.example", "zero.example"]],
  ])("within a priority is picked by weight: random %p", (value, expected) => {
    const records = [
      record("three.example", { weight: 3 }),
      record("zero.example"),
      record("one.example", { weight: 1 }),
    ];
    expect(targets(records, () => value)).toEqual(expected);
  });

  test("gives each record its share by weight", () => {
    const records = [record("a.example", { weight: 10 }), record("b.example", { weight: 30 })];
    const rounds = 4_100;
    let firsts = 0;
    for (let i = 0; i < rounds; i++) if (targets(records, () => i / rounds)[0] === "a.example") firsts++;
    // RFC 2782 draws from 0 to 40 inclusive; 0 to 10 are a's.
    expect(firsts).toBe(1_100);
  });

  test("keeps direct TLS first among equals", () => {
    const equals = [record("a.example", { tls: "direct", port: 5223 }), record("a.example")];
    expect(orderRecords(equals, () => 0).map(({ tls }) => tls)).toEqual(["direct", "starttls"]);
  });

  test("tries 16 of 300, the most preferred", () => {
    const records = Array.from({ length: 300 }, (_, index) => record(`t${index}.example`, { priority: 299 - index }));
    expect(targets(records)).toEqual(Array.from({ length: maxTargets }, (_, index) => `t${299 - index}.example`));
  });

  test("counts a repeated record once, at its best priority", () => {
    const records = [
      record("a.example", { priority: 9 }),
      record("b.example", { priority: 5 }),
      record("A.EXAMPLE", { priority: 1 }),
    ];
    expect(targets(records)).toEqual(["A.EXAMPLE", "b.example"]);
  });

  test("keeps the same host on another port, or with other TLS, apart", () => {
    const records = [record("a.example"), record("a.example", { port: 443 }), record("a.example", { tls: "direct" })];
    expect(orderRecords(records, () => 0)).toHaveLength(3);
  });

  test("whatever the zone says, only usable records of it come out, each once, in order", () => {
    const anyRecord = fc.record({
      target: fc.oneof(fc.domain(), fc.string(), fc.constantFrom("", ".", "192.0.2.1", "::1", "x", "a..b")),
      priority: fc.nat(65_535),
      weight: fc.nat(65_535),
      port: fc.nat(65_535),
      tls: fc.constantFrom("direct" as const, "starttls" as const),
    });
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 60 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (records, value) => {
          const ordered = orderRecords(records, () => value);
          expect(ordered.length).toBeLessThanOrEqual(maxTargets);
          expect(new Set(ordered).size).toBe(ordered.length);
          expect(ordered.every((each) => records.includes(each) && isHostname(each.target) && each.port > 0)).toBe(
            true,
          );
          const priorities = ordered.map(({ priority }) => priority);
          expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});

describe("a record is dropped", () => {
  test.each([
    ["whose target is the root: not offered", record("")],
    ["whose port is 0", record("a.example", { port: 0 })],
    ["whose target is an IPv4 address", record("192.0.2.1")],
    ["whose target is an IPv6 address", record("2001:db8::1")],
    ["whose target would be read as an IPv4 address", record("127.1")],
    ["whose target ends in a hexadecimal number", record("127.0.0.0x1")],
    ["whose target is a number", record("2130706433")],
    ["whose target has no dot, as names of this machine's surroundings have", record("redis")],
    ["whose target is localhost", record("localhost")],
    ["whose target holds escaped bytes", record("a\\000b.example")],
    ["whose target holds a line end", record("a.example\r\nx")],
    ["whose target has an empty label", record("a..example")],
    ["whose target is not ASCII", record("é.example")],
    ["whose target has a label of 64 characters", record(`${"a".repeat(64)}.example`)],
    ["whose target is longer than 253 characters", record(`${"a.".repeat(126)}example`)],
    ["whose target begins with a hyphen", record("-a.example")],
    ["whose target is a URL", record("http://a.example/")],
  ])("%s", (_, bad) => {
    expect(targets([bad, record("good.example")])).toEqual(["good.example"]);
  });

  test("but not one that points to itself: no SRV record is asked for a target", () => {
    expect(targets([record("_xmpp-client._tcp.example.com")])).toEqual(["_xmpp-client._tcp.example.com"]);
  });
});
