/** What is left in memory of those who opened a session. */

import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { makeFakeLogins } from "../support/fake-logins.ts";
import { jid } from "../support/jid.ts";
import { eventually } from "../support/wait.ts";

const accounts = 100;
/** The engine looks for references on the stack too, where an old one may still lie. */
const byChance = 5;

test("a live session keeps neither the password of the request that opened it nor that of a later proof", async () => {
  const { cache, passwords, events } = makeFakeLogins({ verifyMs: 1 });
  const seen: WeakRef<object>[] = [];
  const open = async (nth: number) => {
    const credentials = { account: jid(`user${nth}@example.com`), password: "secret" };
    seen.push(new WeakRef(credentials));
    passwords.set(credentials.account.bare, credentials.password);
    return (await cache.open(credentials, "127.0.0.1")).live;
  };
  for (let nth = 0; nth < accounts; nth++) expect(await open(nth)).toBe(true);
  for (let nth = 0; nth < accounts; nth++) expect(await open(nth)).toBe(true);
  expect([cache.size, events.size]).toEqual([accounts, accounts]);
  const kept = () => seen.filter((reference) => reference.deref() !== undefined).length;
  await eventually(
    () => {
      Bun.gc(true);
      return kept() <= byChance;
    },
    5_000,
    "the credentials to be forgotten",
  );
  expect(cache.size).toBe(accounts);
  for (const [bare, { lost }] of events) lost(new Failure("stream_closed", `The end of ${bare}.`));
  await cache.close();
});
