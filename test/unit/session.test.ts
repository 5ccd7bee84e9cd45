import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Link } from "../../src/link.ts";
import { Session, type SessionOptions } from "../../src/session/session.ts";
import { jid } from "../support/jid.ts";

const never = new AbortController().signal;
const to = jid("bob@example.com");
const defaults: SessionOptions = { ackTimeoutMs: 5000, maxPending: 1000, maxPendingBytes: 1_000_000 };

/** A session whose link only records; the test speaks for the server through `session.events`. */
function begin(options: Partial<SessionOptions> = {}, takes: () => boolean = () => true) {
  const session = new Session(jid("alice@example.com"), { ...defaults, ...options });
  const writes: string[][] = [];
  let wroteOnce: () => void = () => {};
  const wrote = new Promise<void>((resolve) => {
    wroteOnce = resolve;
  });
  const link: Link = {
    jid: jid("alice@example.com/gateway"),
    send: (stanzas) => {
      writes.push([...stanzas]);
      wroteOnce();
      return takes();
    },
    close: async () => session.events.lost(new Failure("stream_closed", "Closed.")),
    abort: (reason) => session.events.lost(reason),
  };
  session.begin(link);
  const send = (id: string, signal = never) => session.send({ id, to, stanza: `<${id}/>` }, signal);
  return { session, writes, wrote, send };
}

const outcomeOf = (answer: Promise<void>) => answer.catch((error: unknown) => error);

describe("a session", () => {
  test("writes what arrives in one turn in one go, in order, and answers each when its acknowledgement comes", async () => {
    const { session, writes, wrote, send } = begin();
    const answers: string[] = [];
    const all = ["a", "b", "c"].map((id) => send(id).then(() => answers.push(id)));
    await wrote;
    expect(writes).toEqual([["<a/>", "<b/>", "<c/>"]]);
    session.events.acknowledged(2);
    await Promise.all(all.slice(0, 2));
    expect(answers).toEqual(["a", "b"]);
    session.events.acknowledged(1);
    await Promise.all(all);
    expect(session.busy).toBe(false);
  });

  test("answers a bounced message with the bounce, also when the acknowledgement comes after it", async () => {
    const { session, wrote, send } = begin();
    const answer = outcomeOf(send("a"));
    await wrote;
    session.events.bounced({ id: "a", from: to, failure: new Failure("item_not_found", "Nobody.") });
    session.events.acknowledged(1);
    expect(await answer).toMatchObject({ code: "item_not_found" });
  });

  test("says that nobody knows when the link is lost behind a written message, and that it was not sent otherwise", async () => {
    const { session, wrote, send } = begin({}, () => false);
    const written = outcomeOf(send("a"));
    await wrote;
    const waiting = outcomeOf(send("b"));
    session.events.lost(new Failure("stream_closed", "Reset."));
    expect(await written).toMatchObject({ code: "connection_lost", outcome: "unknown" });
    expect(await waiting).toMatchObject({ code: "stream_closed", outcome: "not_sent" });
    await expect(send("c")).rejects.toMatchObject({ code: "stream_closed" });
  });

  test("says that nobody knows when no acknowledgement comes in time, and ends the link", async () => {
    const { session, send } = begin({ ackTimeoutMs: 10 });
    await expect(send("a")).rejects.toMatchObject({ code: "ack_timeout", outcome: "unknown" });
    expect((await session.ended).code).toBe("ack_timeout");
  });

  test("withdraws what the socket does not take in time, unsent", async () => {
    const { session, writes, wrote, send } = begin({ ackTimeoutMs: 50 }, () => false);
    const first = send("a");
    await wrote;
    session.events.acknowledged(1);
    await first;
    await expect(send("b")).rejects.toMatchObject({ code: "withdrawn", outcome: "not_sent" });
    await send("b2").catch(() => {});
    expect(writes).toEqual([["<a/>"]]);
    session.events.drained();
    expect(writes).toEqual([["<a/>"]]);
  });

  test("does not write a message whose caller hung up before", async () => {
    const { writes, wrote, send } = begin();
    const caller = new AbortController();
    const gone = outcomeOf(send("a", caller.signal));
    const stays = send("b");
    caller.abort();
    expect(await gone).toMatchObject({ code: "withdrawn", outcome: "not_sent" });
    await wrote;
    expect(writes).toEqual([["<b/>"]]);
    stays.catch(() => {});
  });

  test("refuses at once what is over its bounds", async () => {
    const { send } = begin({ maxPending: 2 });
    const kept = [send("a"), send("b")];
    await expect(send("c")).rejects.toMatchObject({ code: "overloaded", outcome: "not_sent" });
    for (const promise of kept) promise.catch(() => {});
    const small = begin({ maxPendingBytes: 5 });
    small.send("a").catch(() => {});
    await expect(small.send("b")).rejects.toMatchObject({ code: "overloaded" });
  });

  test("refuses an id that is on its way already", async () => {
    const { send } = begin();
    send("a").catch(() => {});
    await expect(send("a")).rejects.toMatchObject({ code: "conflict" });
  });

  test("answers everything when it has to give up", async () => {
    const { session, wrote, send } = begin({}, () => false);
    const written = outcomeOf(send("a"));
    await wrote;
    const waiting = outcomeOf(send("b"));
    session.giveUp();
    expect(await written).toMatchObject({ code: "shutdown_unacknowledged", outcome: "unknown" });
    expect(await waiting).toMatchObject({ code: "shutting_down", outcome: "not_sent" });
  });
});
