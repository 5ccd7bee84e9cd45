import { describe, expect, test } from "bun:test";
import { type Code, Failure } from "../../src/errors.ts";
import type { Link, OutgoingStanza, Reconnection } from "../../src/link.ts";
import { Session } from "../../src/session/session.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";
import { makeSessionOptions } from "../support/session-options.ts";

const never = new AbortController().signal;
const to = jid("bob@example.com");

type Reconnect = () => Promise<Omit<Reconnection, "link">>;

/** A session over links that only record what they are given; each link's `reconnect` is the next of `reconnects`. */
function begin(reconnects: readonly Reconnect[], ackTimeoutMs = 5000) {
  const links: OutgoingStanza[][][] = [];
  const waiters = new Map<number, (writes: OutgoingStanza[][]) => void>();
  const recovered: boolean[] = [];
  const onRecovered = (resumed: boolean) => void recovered.push(resumed);
  const options = makeSessionOptions({ ackTimeoutMs, loginTimeoutMs: 1000, onRecovered });
  const session = new Session(jid("alice@example.com"), options);
  let attempts = 0;
  const makeLink = (): Link => {
    const writes: OutgoingStanza[][] = [];
    const number = links.push(writes);
    return {
      rooms: noRooms,
      jid: jid("alice@example.com/gateway"),
      graceMs: 0,
      maxStanzaBytes: undefined,
      resumable: true,
      send: (stanzas) => {
        writes.push([...stanzas]);
        waiters.get(number)?.(writes);
        return true;
      },
      close: async () => session.events.lost(new Failure("stream_closed", "Closed.")),
      abort: (reason) => session.events.lost(reason),
      reconnect: async () => {
        const reconnect = reconnects[attempts++] ?? (() => Promise.reject(new Failure("tls_failed", "No more.")));
        return { ...(await reconnect()), link: makeLink() };
      },
    };
  };
  session.begin(makeLink());
  return {
    session,
    recovered,
    attempts: () => attempts,
    send: (id: string, signal = never) => session.send({ id, to, stanza: `<${id}/>` }, signal),
    /** What the nth link was given, flattened, once it was given something. */
    written: async (number: number) => {
      const writes = links[number - 1];
      const filled =
        writes !== undefined && writes.length > 0
          ? writes
          : await new Promise<OutgoingStanza[][]>((resolve) => waiters.set(number, resolve));
      return filled.flat().map(({ stanza }) => stanza);
    },
    writes: (number: number) => links[number - 1]?.flat() ?? [],
    lose: (code: Code = "stream_closed") => session.events.lost(new Failure(code, "It ended.")),
  };
}

const outcomeOf = (answer: Promise<void>) =>
  answer.then(
    () => "sent",
    (error: unknown) => error,
  );

describe("a session whose connection is lost with messages on their way", () => {
  test("settles what the server had handled, and sends the rest again in order with the time of the first try", async () => {
    const { session, send, written, writes, lose } = begin([async () => ({ resumed: true, handled: 1 })]);
    const outcomes = ["a", "b", "c"].map((id) => outcomeOf(send(id)));
    await written(1);
    lose();
    const late = outcomeOf(send("d"));
    expect(await outcomes[0]).toBe("sent");
    expect(await written(2)).toEqual(["<b/>", "<c/>", "<d/>"]);
    expect(writes(2).map(({ delayedSince }) => delayedSince instanceof Date)).toEqual([true, true, false]);
    session.events.acknowledged(3);
    expect(await Promise.all([...outcomes, late])).toEqual(["sent", "sent", "sent", "sent"]);
  });

  test("sends again on a new session what the server says it had not handled", async () => {
    const { session, send, written, lose, recovered } = begin([async () => ({ resumed: false, handled: 1 })]);
    const outcomes = [outcomeOf(send("a")), outcomeOf(send("b"))];
    await written(1);
    lose();
    expect(await written(2)).toEqual(["<b/>"]);
    session.events.acknowledged(1);
    expect(await Promise.all(outcomes)).toEqual(["sent", "sent"]);
    expect(recovered).toEqual([false]);
  });

  test("does not guess when the server does not say, and goes on with what was not written", async () => {
    const { session, send, written, lose } = begin([async () => ({ resumed: false, handled: undefined })]);
    const a = outcomeOf(send("a"));
    await written(1);
    lose();
    const b = outcomeOf(send("b"));
    expect(await a).toMatchObject({ code: "connection_lost", outcome: "unknown" });
    expect(await written(2)).toEqual(["<b/>"]);
    session.events.acknowledged(1);
    expect(await b).toBe("sent");
  });

  test("is fetched again when the server ends the stream in the very turn in which it takes it up", async () => {
    let loseNow = () => {};
    const { session, send, written, writes, lose, recovered } = begin([
      async () => {
        loseNow();
        return { resumed: true, handled: 1 };
      },
      async () => ({ resumed: true, handled: 0 }),
    ]);
    loseNow = () => lose("server_shutdown");
    const outcomes = ["a", "b"].map((id) => outcomeOf(send(id)));
    await written(1);
    lose();
    expect(await written(3)).toEqual(["<b/>"]);
    expect(writes(2)).toEqual([]);
    session.events.acknowledged(1);
    expect(await Promise.all(outcomes)).toEqual(["sent", "sent"]);
    expect(recovered).toEqual([true, true]);
  });

  test("does not send again what its caller has hung up on meanwhile", async () => {
    const caller = new AbortController();
    const { send, written, lose } = begin([
      async () => {
        caller.abort();
        return { resumed: true, handled: 0 };
      },
    ]);
    const gone = send("a", caller.signal).then(
      () => "sent",
      (error: unknown) => error,
    );
    const stays = outcomeOf(send("b"));
    await written(1);
    lose();
    expect(await gone).toMatchObject({ code: "withdrawn", outcome: "not_sent" });
    expect(await written(2)).toEqual([expect.stringContaining("b")]);
    lose("session_replaced");
    await stays;
  });

  test("tries again while somebody waits, and not after a refusal that only a person can mend", async () => {
    const { send, written, lose, attempts } = begin([
      () => Promise.reject(new Failure("server_unreachable", "Refused.")),
      () => Promise.reject(new Failure("login_timeout", "Slow.")),
      () => Promise.reject(new Failure("credentials_rejected", "Changed.")),
    ]);
    const a = outcomeOf(send("a"));
    await written(1);
    lose();
    const b = outcomeOf(send("b"));
    expect(await a).toMatchObject({ code: "connection_lost", outcome: "unknown" });
    expect(await b).toMatchObject({ code: "stream_closed", outcome: "not_sent" });
    expect(attempts()).toBe(3);
  });

  test("does not fight for its place when another session has taken it", async () => {
    const { send, written, lose, attempts } = begin([async () => ({ resumed: true, handled: 0 })]);
    const a = outcomeOf(send("a"));
    await written(1);
    lose("session_replaced");
    expect(await a).toMatchObject({ code: "connection_lost", outcome: "unknown" });
    expect(attempts()).toBe(0);
  });

  test("answers each message by its deadline, however long the connection stays away", async () => {
    const { send, written, lose } = begin([() => new Promise(() => {})], 50);
    const a = outcomeOf(send("a"));
    await written(1);
    lose();
    const b = outcomeOf(send("b"));
    expect(await a).toMatchObject({ code: "ack_timeout", outcome: "unknown" });
    expect(await b).toMatchObject({ code: "withdrawn", outcome: "not_sent" });
  });

  test("says why the connection is not back to those whose time is over", async () => {
    const refused = () => Promise.reject(new Failure("server_unreachable", "The server refuses connections."));
    const { session, send, written, lose } = begin(
      Array.from({ length: 9 }, () => refused),
      150,
    );
    const a = outcomeOf(send("a"));
    await written(1);
    lose();
    const b = outcomeOf(send("b"));
    expect(await a).toMatchObject({ code: "ack_timeout", outcome: "unknown" });
    expect(await b).toMatchObject({
      code: "server_unreachable",
      outcome: "not_sent",
      message:
        'The message to "bob@example.com" was not sent, because the connection was lost and is not back. The server refuses connections.',
    });
    await session.close("the test ends it");
  });

  test("lets nobody try again at once over a server that only hangs up", async () => {
    const hungUp = () => Promise.reject(new Failure("stream_closed", "The server hung up."));
    const { session, send, written, lose } = begin(
      Array.from({ length: 9 }, () => hungUp),
      150,
    );
    const a = outcomeOf(send("a"));
    await written(1);
    lose();
    expect(await outcomeOf(send("b"))).toMatchObject({ code: "withdrawn", outcome: "not_sent" });
    expect(await a).toMatchObject({ code: "ack_timeout" });
    await session.close("the test ends it");
  });

  test("takes a silent connection for dead before the deadline, and saves the message on another", async () => {
    const { session, send, written } = begin([async () => ({ resumed: true, handled: 0 })], 1000);
    const a = outcomeOf(send("a"));
    await written(1);
    expect(await written(2)).toEqual(["<a/>"]);
    session.events.acknowledged(1);
    expect(await a).toBe("sent");
  });

  test("closes the connection that comes back too late for anybody", async () => {
    const { session, send, written, lose } = begin([async () => ({ resumed: true, handled: 0 })]);
    const a = outcomeOf(send("a"));
    await written(1);
    lose();
    await session.close("the test ends it");
    expect(await a).toMatchObject({ code: "connection_lost" });
    expect(session.over).toBe(true);
  });
});

describe("a message over which the server ends the stream", () => {
  const refuseFrom =
    (handled: number): Reconnect =>
    async () => ({ resumed: false, handled });

  test("is tried once more alone, then fails with a word about it, and the others go on", async () => {
    const { session, send, written, lose } = begin([refuseFrom(1), refuseFrom(0)]);
    const [a, bad, c] = [outcomeOf(send("a")), outcomeOf(send("bad")), outcomeOf(send("c"))];
    await written(1);
    lose("stanza_complaint");
    expect(await a).toBe("sent");
    expect(await written(2)).toEqual(["<bad/>"]);
    lose("stanza_complaint");
    expect(await bad).toMatchObject({ code: "stanza_complaint", outcome: "not_sent" });
    expect(await written(3)).toEqual(["<c/>"]);
    session.events.acknowledged(1);
    expect(await c).toBe("sent");
  });

  test("that passes when it is alone lets the others follow", async () => {
    const { session, send, written, writes, lose } = begin([refuseFrom(0)]);
    const outcomes = [outcomeOf(send("a")), outcomeOf(send("b"))];
    await written(1);
    lose("stanza_complaint");
    expect(await written(2)).toEqual(["<a/>"]);
    session.events.acknowledged(1);
    expect(await outcomes[0]).toBe("sent");
    expect(writes(2).map(({ stanza }) => stanza)).toEqual(["<a/>", "<b/>"]);
    session.events.acknowledged(1);
    expect(await outcomes[1]).toBe("sent");
  });
});
