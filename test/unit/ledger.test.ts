import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Ledger, type LedgerEntry } from "../../src/ledger.ts";
import { jid } from "../support/jid.ts";

function entry(id: string, to = "bob@example.com/desk", bytes = 10): LedgerEntry {
  return { id, to: jid(to), bytes, deadlineMs: Number.POSITIVE_INFINITY };
}

function written(...ids: string[]): Ledger<LedgerEntry> {
  const ledger = new Ledger<LedgerEntry>();
  for (const id of ids) ledger.accept(entry(id));
  ledger.takeWaiting(Number.POSITIVE_INFINITY);
  return ledger;
}

/** What an acknowledgement settles where the server refuses first. */
function settle(ledger: Ledger<LedgerEntry>, count: number): string[] {
  ledger.acknowledge(count);
  return ids(ledger.takeAcknowledged().filter((entry) => ledger.settle(entry)));
}

const ids = (entries: readonly LedgerEntry[]) => entries.map(({ id }) => id);

describe("an acknowledgement", () => {
  test("settles what it covers, in order, and nothing else", () => {
    const ledger = written("a", "b", "c");
    expect(settle(ledger, 2)).toEqual(["a", "b"]);
    expect(settle(ledger, 1)).toEqual(["c"]);
    expect(ledger.size).toBe(0);
    expect(ledger.bytes).toBe(0);
  });
});

describe("a bounce", () => {
  test.each([
    ["the recipient itself", "bob@example.com/desk"],
    ["the recipient's account", "bob@example.com"],
    ["the recipient's domain", "example.com"],
    ["our own server", "home.example"],
    ["our own server, unnamed", undefined],
  ])("from %s settles its message", (_, from) => {
    const ledger = written("a", "b");
    const sender = from === undefined ? undefined : jid(from);
    expect(ledger.bounce("a", sender, "home.example")?.id).toBe("a");
    expect(settle(ledger, 2)).toEqual(["b"]);
  });

  test.each(["mallory@example.com", "bob@example.com/phone", "other.example"])(
    "from %s, who was not written to, settles nothing",
    (from) => {
      const ledger = written("a");
      expect(ledger.bounce("a", jid(from), "home.example")).toBeUndefined();
      expect(settle(ledger, 1)).toEqual(["a"]);
    },
  );

  test("with an unknown id, or a second one, settles nothing", () => {
    const ledger = written("a");
    expect(ledger.bounce("z", undefined, "home.example")).toBeUndefined();
    ledger.bounce("a", undefined, "home.example");
    expect(ledger.bounce("a", undefined, "home.example")).toBeUndefined();
  });
});

describe("a lost stream", () => {
  test("gives back what was written without an answer apart from what was not written", () => {
    const ledger = written("a", "b", "c");
    ledger.accept(entry("d"));
    settle(ledger, 1);
    ledger.bounce("b", undefined, "home.example");
    const { written: open, waiting } = ledger.giveUp();
    expect(ids(open)).toEqual(["c"]);
    expect(ids(waiting)).toEqual(["d"]);
    expect([ledger.size, ledger.bytes]).toEqual([0, 0]);
  });
});

describe("where the server acknowledges before it refuses", () => {
  test("a message is given out when both its acknowledgement and its echo have come, and may bounce until it is settled", () => {
    const ledger = written("a", "b", "c");
    ledger.acknowledge(2);
    expect(ids(ledger.takeEchoed())).toEqual([]);
    ledger.echo(1);
    const [a] = ledger.takeEchoed();
    expect(a?.id).toBe("a");
    expect(ledger.bounce("a", undefined, "home.example")).toBe(a);
    expect(a && ledger.settle(a)).toBe(false);
    ledger.echo(2);
    expect(ids(ledger.takeEchoed())).toEqual(["b"]);
    ledger.acknowledge(1);
    expect(ids(ledger.takeEchoed())).toEqual(["c"]);
  });
});

describe("a connection that is lost", () => {
  test("and resumed makes what was not handled wait again, before what came later, and leaves out what is answered", () => {
    const ledger = written("a", "b", "c", "d");
    ledger.accept(entry("e"));
    ledger.acknowledge(1);
    ledger.bounce("c", undefined, "home.example");
    expect(ids(ledger.rewind())).toEqual(["b", "d"]);
    expect(ids(ledger.takeWaiting(Number.POSITIVE_INFINITY))).toEqual(["b", "d", "e"]);
    expect(settle(ledger, 3)).toEqual(["a", "b", "d", "e"]);
    expect(ledger.bytes).toBe(0);
  });

  test("and not resumed gives up what was written and nothing else", () => {
    const ledger = written("a", "b");
    ledger.accept(entry("c"));
    ledger.acknowledge(1);
    const lost = ledger.giveUpWritten();
    expect([ids(lost.acknowledged), ids(lost.written)]).toEqual([["a"], ["b"]]);
    expect(ids(ledger.takeWaiting(1000))).toEqual(["c"]);
    expect(settle(ledger, 1)).toEqual(["c"]);
  });
});

describe("waiting entries", () => {
  test("are taken in order, up to the size of one write and at least one", () => {
    const ledger = new Ledger<LedgerEntry>();
    for (const [id, bytes] of [
      ["a", 50],
      ["b", 50],
      ["c", 500],
      ["d", 1],
    ] as const) {
      ledger.accept(entry(id, "bob@example.com", bytes));
    }
    expect(ids(ledger.takeWaiting(100))).toEqual(["a", "b"]);
    expect(ids(ledger.takeWaiting(100))).toEqual(["c"]);
    expect(ids(ledger.takeWaiting(100))).toEqual(["d"]);
    expect(ledger.hasWaiting).toBe(false);
  });

  test("can be withdrawn until they are written", () => {
    const ledger = new Ledger<LedgerEntry>();
    const [a, b] = [entry("a"), entry("b")];
    ledger.accept(a);
    ledger.accept(b);
    expect(ledger.withdraw(a)).toBe(true);
    ledger.takeWaiting(1000);
    expect(ledger.withdraw(b)).toBe(false);
    expect(settle(ledger, 1)).toEqual(["b"]);
  });

  test("and written ones are overdue once their deadline has passed", () => {
    const ledger = written("a");
    const late = { ...entry("b"), deadlineMs: 5 };
    ledger.accept(late);
    expect(ids(ledger.overdue(4).waiting)).toEqual([]);
    expect(ids(ledger.overdue(5).waiting)).toEqual(["b"]);
    expect(ids(ledger.overdue(5).written)).toEqual([]);
  });
});

test("whatever order acknowledgements and bounces come in, each message is settled exactly once", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("send" as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant("ack" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ kind: fc.constant("bounce" as const), pick: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new Ledger<LedgerEntry>();
      const settled: string[] = [];
      let sent = 0;
      let acknowledged = 0;
      for (const action of steps) {
        if (action.kind === "send") {
          for (let i = 0; i < action.count; i++) ledger.accept(entry(`m${sent++}`));
          ledger.takeWaiting(Number.POSITIVE_INFINITY);
        } else if (action.kind === "ack") {
          const count = Math.floor((sent - acknowledged) * action.share);
          acknowledged += count;
          settled.push(...settle(ledger, count));
        } else {
          const bounced = ledger.bounce(`m${action.pick % Math.max(sent, 1)}`, undefined, "home.example");
          if (bounced !== undefined) settled.push(bounced.id);
        }
      }
      settled.push(...ids(ledger.giveUp().written));
      expect(settled.toSorted()).toEqual(Array.from({ length: sent }, (_, i) => `m${i}`).toSorted());
    }),
  );
});
