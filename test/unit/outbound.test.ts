import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { OutboundCount } from "../../src/xmpp/outbound.ts";

function sentMessages(count: number, handled = 0): OutboundCount {
  const outbound = new OutboundCount(handled);
  outbound.sent("message", count);
  return outbound;
}

describe("the count of XEP-0198", () => {
  test("gives the messages that each h covers anew", () => {
    const outbound = sentMessages(3);
    expect([outbound.acknowledge(2), outbound.acknowledge(2), outbound.acknowledge(3)]).toEqual([2, 0, 1]);
  });

  test("counts stanzas that are no messages, and does not credit messages with them", () => {
    const outbound = new OutboundCount();
    outbound.sent("message");
    outbound.sent("other");
    outbound.sent("message");
    expect([outbound.acknowledge(1), outbound.acknowledge(2), outbound.acknowledge(3)]).toEqual([1, 0, 1]);
  });

  test("goes on over 2^32", () => {
    const outbound = sentMessages(3, 0xffff_fffe);
    expect(outbound.total).toBe(1);
    expect([outbound.acknowledge(0xffff_ffff), outbound.acknowledge(1)]).toEqual([1, 2]);
  });

  test.each([
    ["more than was sent", 3],
    ["less than before", 0],
    ["far more", 0xffff_ffff],
  ])("refuses %s", (_, handled) => {
    const outbound = sentMessages(2);
    outbound.acknowledge(1);
    expect(() => outbound.acknowledge(handled)).toThrow(/where 1 to 2 was possible/);
    expect(outbound.acknowledge(2)).toBe(1);
  });

  test("does not grow with stanzas that a server makes us send and never acknowledges", () => {
    const outbound = sentMessages(1);
    Bun.gc(true);
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 2_000_000; i++) outbound.sent("other");
    Bun.gc(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4 * 1024 * 1024);
    outbound.sent("message");
    expect(outbound.acknowledge(2_000_002)).toBe(2);
  });

  test("credits every message exactly once, wherever it starts and whatever lies between", () => {
    const kinds = fc.array(fc.constantFrom("message" as const, "other" as const), { maxLength: 50 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), kinds, fc.array(fc.nat(5)), (start, sent, steps) => {
        const outbound = new OutboundCount(start);
        for (const kind of sent) outbound.sent(kind);
        let handled = 0;
        let credited = 0;
        for (const step of [...steps, sent.length]) {
          handled = Math.min(handled + step, sent.length);
          credited += outbound.acknowledge((start + handled) >>> 0);
        }
        expect(credited).toBe(sent.filter((kind) => kind === "message").length);
      }),
    );
  });
});
