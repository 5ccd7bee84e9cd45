import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Link } from "../../src/link.ts";
import type { SessionOptions } from "../../src/session/entry.ts";
import { Session } from "../../src/session/session.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";
import { makeSessionOptions } from "../support/session-options.ts";

const never = new AbortController().signal;
const to = jid("bob@example.com");

/** A session whose link only records; the test speaks for the server through `session.events`. */
function begin(options: Partial<SessionOptions> = {}, takes: () => boolean = () => true, graceMs = 0) {
  const session = new Session(jid("alice@example.com"), makeSessionOptions(options));
  const writes: string[][] = [];
  let wroteOnce: () => void = () => {};
  const wrote = new Promise<void>((resolve) => {
    wroteOnce = resolve;
  });
  const link: Link = {
    rooms: noRooms,
    jid: jid("alice@example.com/gateway"),
    send: (stanzas) => {
      writes.push(stanzas.map(({ stanza }) => stanza));
      wroteOnce();
      return takes();
    },
    close: async () => session.events.lost(new Failure("stream_closed", "Closed.")),
    abort: (reason) => session.events.lost(reason),
    graceMs,
    maxStanzaBytes: undefined,
    resumable: true,
    reconnect: () => Promise.reject(new Failure("server_unreachable", "Nobody there.")),
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
    session.events.bounced({ id: "a", from: to, refusal: () => new Failure("item_not_found", "Nobody.") });
    session.events.acknowledged(1);
    expect(await answer).toMatchObject({ code: "item_not_found" });
  });

  test("says that nobody knows when the link is lost behind a written message, and that it was not sent otherwise", async () => {
    const { session, wrote, send } = begin({}, () => false);
    const written = outcomeOf(send("a"));
    await wrote;
    const waiting = outcomeOf(send("b"));
    session.events.lost(new Failure("session_replaced", "Conflict."));
    expect(await written).toMatchObject({ code: "connection_lost", outcome: "unknown" });
    expect(await waiting).toMatchObject({ code: "stream_closed", outcome: "not_sent" });
    await expect(send("c")).rejects.toMatchObject({ code: "stream_closed" });
  });

  test("says that nobody knows when no acknowledgement comes in time, and ends the silent link", async () => {
    const { session, send } = begin({ ackTimeoutMs: 10 });
    await expect(send("a")).rejects.toMatchObject({ code: "ack_timeout", outcome: "unknown" });
    expect(await session.ended).toMatchObject({ code: "stream_closed" });
  });

  test("waits for the echo and the grace time where the server refuses after its acknowledgement", async () => {
    const { session, wrote, send } = begin({}, () => true, 20);
    const answers: string[] = [];
    const good = send("a").then(() => answers.push("good"));
    const bad = outcomeOf(send("b"));
    await wrote;
    session.events.acknowledged(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toEqual([]);
    session.events.echoed(2);
    session.events.bounced({ id: "b", from: to, refusal: () => new Failure("service_unavailable", "Full.") });
    expect(await bad).toMatchObject({ code: "service_unavailable" });
    await good;
    expect(answers).toEqual(["good"]);
  });

  test("takes an acknowledged message for sent when the echo never comes", async () => {
    const { session, wrote, send } = begin({ ackTimeoutMs: 10 }, () => true, 5);
    const sent = send("a");
    await wrote;
    session.events.acknowledged(1);
    await sent;
  });

  test("tells of a refusal for what it has answered already", async () => {
    const late: string[] = [];
    const { session, wrote, send } = begin({ onLateBounce: ({ id }) => late.push(id) });
    const sent = send("a");
    await wrote;
    session.events.acknowledged(1);
    await sent;
    session.events.bounced({ id: "a", from: to, refusal: () => new Failure("item_not_found", "Nobody.") });
    expect(late).toEqual(["a"]);
  });

  test("takes no refusal for what it has not written yet, whose id the caller has used before", async () => {
    const late: string[] = [];
    const { session, writes, wrote, send } = begin({ onLateBounce: ({ id }) => late.push(id) }, () => false);
    const first = send("a");
    await wrote;
    session.events.acknowledged(1);
    await first;
    const second = outcomeOf(send("a"));
    session.events.bounced({ id: "a", from: to, refusal: () => new Failure("item_not_found", "Nobody.") });
    expect(late).toEqual(["a"]);
    session.events.drained();
    expect(writes).toEqual([["<a/>"], ["<a/>"]]);
    session.events.acknowledged(1);
    expect(await second).toBeUndefined();
  });

  test.each([
    ["by the recipient's receipt", "bob@example.com/phone", "received"],
    ["not by anybody else's", "mallory@example.com/x", "waiting"],
  ])("ends the wait for a receipt %s", async (_, from, expected) => {
    const { session } = begin();
    const watch = session.watch("a", to);
    session.events.received({ id: "a", from: jid(from) });
    expect(await Promise.race([watch.outcome, Promise.resolve().then(() => "waiting")])).toBe(expected);
  });

  test("tells of what comes back for an id that is waited for twice to whoever waits longer", async () => {
    const { session } = begin();
    const receipt = { id: "a", from: jid("bob@example.com/phone") };
    const first = session.watch("a", to);
    session.watch("a", to).stop();
    const third = session.watch("a", to);
    const now = (watch: typeof first) => Promise.race([watch.outcome, Promise.resolve().then(() => "waiting")]);
    session.events.received(receipt);
    expect([await now(first), await now(third)]).toEqual(["received", "waiting"]);
    session.events.received(receipt);
    expect(await now(third)).toBe("received");
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
    const { session, writes, wrote, send } = begin({}, () => false);
    const first = send("first");
    await wrote;
    const caller = new AbortController();
    const gone = outcomeOf(send("a", caller.signal));
    const stays = send("b");
    caller.abort();
    expect(await gone).toMatchObject({ code: "withdrawn", outcome: "not_sent" });
    session.events.drained();
    expect(writes).toEqual([["<first/>"], ["<b/>"]]);
    for (const promise of [first, stays]) promise.catch(() => {});
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
