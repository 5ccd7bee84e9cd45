/** Sessions of a domain that may not log in any more: out of everybody's hands at once, closed when they owe no answer. */

import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import type { Link, LinkEvents } from "../../src/link.ts";
import type { Session } from "../../src/session/session.ts";
import { credentialsOf, makeFakeLogins } from "../support/fake-logins.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";
import { within } from "../support/wait.ts";

const never = new AbortController().signal;
const here = "127.0.0.1";
const alice = credentialsOf("alice@example.com", "right");
const carol = credentialsOf("carol@example.org", "right");
const gone = new Set(["example.com"]);

/** Links that acknowledge when the test does it. */
function makeSilentLogins() {
  const events = new Map<string, LinkEvents>();
  const closed: string[] = [];
  const { cache } = makeFakeLogins({
    login: async ({ account: { bare } }, ofLink): Promise<Link> => {
      events.set(bare, ofLink);
      return {
        rooms: noRooms,
        jid: jid(`${bare}/gateway`),
        send: () => true,
        close: async () => {
          closed.push(bare);
          ofLink.lost(new Failure("stream_closed", "Closed."));
        },
        abort: (reason) => ofLink.lost(reason),
        graceMs: 0,
        maxStanzaBytes: undefined,
        resumable: false,
        reconnect: () => Promise.reject(new Failure("server_unreachable", "Nobody there.")),
      };
    },
  });
  return { cache, closed, acknowledge: (bare: string) => events.get(bare)?.acknowledged(1) };
}

function send(session: Session, id: string): Promise<void> {
  return session.send({ id, to: jid("bob@example.com"), stanza: "<message/>" }, never);
}

test("a session that owes nothing is closed at once, and those of other domains stay", async () => {
  const { cache, closed } = makeSilentLogins();
  await cache.open(alice, here);
  const other = await cache.open(carol, here);
  cache.release(gone);
  await Promise.resolve();
  expect([closed, cache.size, other.live]).toEqual([["alice@example.com"], 1, true]);
  expect(await cache.open(carol, here)).toBe(other);
  await cache.close();
});

test("a session that owes an answer gives it, takes nothing more, and is closed then", async () => {
  const { cache, closed, acknowledge } = makeSilentLogins();
  const session = await cache.open(alice, here);
  const owed = send(session, "1");
  await new Promise(setImmediate);
  cache.release(gone);
  await new Promise(setImmediate);
  expect([closed, cache.size]).toEqual([[], 0]);
  await expect(send(session, "2")).rejects.toMatchObject({ code: "stream_closed" });
  acknowledge("alice@example.com");
  await owed;
  await within(1_000, "the session to end", session.ended);
  expect(closed).toEqual(["alice@example.com"]);
  await cache.close();
});

test("whoever comes in the meantime is given a session of its own", async () => {
  const { cache } = makeSilentLogins();
  const old = await cache.open(alice, here);
  void send(old, "1").catch(() => {});
  cache.release(gone);
  const fresh = await cache.open(alice, here);
  expect(fresh).not.toBe(old);
  cache.giveUp();
  await cache.close();
});

test("what is still owed at a stop is answered then", async () => {
  const { cache, closed } = makeSilentLogins();
  const owed = send(await cache.open(alice, here), "1");
  await new Promise(setImmediate);
  cache.release(gone);
  cache.giveUp();
  await expect(owed).rejects.toMatchObject({ code: "shutdown_unacknowledged" });
  await cache.close();
  expect(closed).toEqual(["alice@example.com"]);
});

test("a login under way is closed when it is done, and one that fails leaves nothing", async () => {
  const { cache, passwords, closed } = makeFakeLogins();
  passwords.set("alice@example.com", "right");
  const [opened, refused] = [cache.open(alice, here), cache.open(credentialsOf("bob@example.com", "wrong"), here)];
  cache.release(gone);
  await opened;
  await expect(refused).rejects.toMatchObject({ code: "credentials_rejected" });
  expect([closed, cache.size]).toEqual([["alice@example.com"], 0]);
  await cache.close();
});
