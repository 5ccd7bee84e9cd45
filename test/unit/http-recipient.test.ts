/** To whom: path and field. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { findRecipients, recipientsInPath } from "../../src/http/recipient.ts";
import type { Jid } from "../../src/jid.ts";
import { startGateway } from "../support/http-gateway.ts";
import { jid } from "../support/jid.ts";

const alice = jid("alice@example.com");

const aliases = new Map([
  ["oncall", [jid("bob@example.com"), jid("ops@rooms.example.com")]],
  ["crew", [jid("ops@rooms.example.com"), jid("carol@example.net/desk")]],
]);
const naming = { allowedHosts: ["example.com", "example.org"], aliases, maxRecipients: 4 };

/** The addresses, or the code of what is wrong; a list in brackets where it is one. */
function find(path: string, field?: string | string[]): string {
  try {
    const { list, several } = findRecipients(recipientsInPath("/msg")(`http://gw${path}`), field, alice, naming);
    const names = list.map((each) => ("jid" in each ? each.jid.full : `${each.named}: ${each.failure.code}`)).join(" ");
    return several ? `[${names}]` : names;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

test("a name that comes again and again is looked at once, and more names than are taken are not looked at", () => {
  let looked = 0;
  class Counted extends Map<string, readonly Jid[]> {
    override get(name: string) {
      looked += 1;
      return super.get(name);
    }
  }
  const counting = { ...naming, aliases: new Counted(aliases) };
  const { list } = findRecipients([], Array(1_000).fill("@nobody"), alice, counting);
  expect([list.length, looked]).toEqual([1, 1]);
  const many = Array.from({ length: 1_000 }, (_, number) => `@nobody${number}`);
  expect(() => findRecipients([], many, alice, counting)).toThrow(/more than 4 recipients/);
  expect(looked).toBe(1);
});

describe("a path", () => {
  test.each([
    ["/msg/user", "user@example.com"],
    ["/msg/john.doe", "john.doe@example.com"],
    ["/msg/user@host", "user@host"],
    ["/msg/user%40host", "user@host"],
    ["/msg/User@EXAMPLE.net", "user@example.net"],
    ["/msg/user@host/resource", "user@host/resource"],
    ["/msg/user@host%2Fresource", "user@host/resource"],
    ["/msg/user@host/a/b%20c", "user@host/a/b c"],
    ["/msg/user@host/a@b", "user@host/a@b"],
    ["/msg/user/desk", "user@example.com/desk"],
    ["/msg/user/re@source", "user@example.com/re@source"],
    ["/msg/a+b@host", "a+b@host"],
    ["/msg/j%C3%BCrgen", "jürgen@example.com"],
    ["/msg/jürgen", "jürgen@example.com"],
    ["/msg/example.com", "example.com"],
    ["/msg/EXAMPLE.org", "example.org"],
    ["/msg/conference.example.com", "conference.example.com"],
    ["/msg/example.com/resource", "example.com/resource"],
    ["/msg/notexample.com", "notexample.com@example.com"],
    ["/msg/example.net", "example.net@example.com"],
    ["/msg/user?query=ignored", "user@example.com"],
    ["/msg/%00", "bad_recipient"],
    ["/msg//", "bad_recipient"],
    ["/msg/user@host/", "bad_recipient"],
    ["/msg/@host", "[@host: bad_recipient]"],
    ["/msg/a@b@c", "bad_recipient"],
    ["/msg/%ff", "bad_path"],
    ["/msg/%", "bad_path"],
    ["/msg/", "no_recipient"],
    ["/msg", "no_recipient"],
  ])("%s is for %s", (path, outcome) => {
    expect(find(path)).toBe(outcome);
  });

  test("reaches deliver as it is, through a real request", async () => {
    await using gateway = await startGateway();
    const sent = await gateway.sent("/msg/user@host/a%2Fb%20%2525/c", "hi");
    expect(sent.to.full).toBe("user@host/a/b %25/c");
  });

  test("begins after a longer base path too", async () => {
    await using gateway = await startGateway({ path: "/api/v1.0/~msg" });
    expect((await gateway.sent("/api/v1.0/~msg/user@host", "hi")).to.full).toBe("user@host");
    expect((await gateway.post("/msg/user@host", "hi")).status).toBe(404);
  });
});

describe("the field to", () => {
  test.each([
    ["/msg/", "bob@example.net", "bob@example.net"],
    ["/msg", "bob", "bob@example.com"],
    ["/msg/", "example.org", "example.org"],
    ["/msg/", "bob@example.net/desk", "bob@example.net/desk"],
    ["/msg/bob", "", "bob@example.com"],
    ["/msg/bob", "BOB@example.com", "bob@example.com"],
    ["/msg/bob", "bob@example.com/desk", "recipient_conflict"],
    ["/msg/bob", "carol@example.com", "recipient_conflict"],
    ["/msg/bob", "@", "bad_recipient"],
    ["/msg/", "", "no_recipient"],
    ["/msg/", "a@b, c@d", "bad_recipient"],
  ])("with %s and %p is for %s", (path, field, outcome) => {
    expect(find(path, field)).toBe(outcome);
  });
});

describe("several recipients", () => {
  test.each([
    ["/msg/bob,carol@example.net", undefined, "[bob@example.com carol@example.net]"],
    ["/msg/a%2Cb@example.net", undefined, "a,b@example.net"],
    ["/msg/bob,BOB@example.com,bob/desk", undefined, "[bob@example.com bob@example.com/desk]"],
    ["/msg/bob,a@b@c,carol", undefined, "[bob@example.com a@b@c: bad_recipient carol@example.com]"],
    ["/msg/bob,", undefined, "[bob@example.com : bad_recipient]"],
    ["/msg/bob,%ff", undefined, "bad_path"],
    ["/msg/", ["bob", "carol"], "[bob@example.com carol@example.com]"],
    ["/msg/", ["bob"], "[bob@example.com]"],
    ["/msg/", ["a,b@example.net"], "[a,b@example.net]"],
    ["/msg/carol,bob", ["bob", "carol@example.com"], "[carol@example.com bob@example.com]"],
    ["/msg/carol,bob", ["bob"], "recipient_conflict"],
    ["/msg/@oncall", undefined, "[bob@example.com ops@rooms.example.com]"],
    ["/msg/%40oncall", undefined, "[bob@example.com ops@rooms.example.com]"],
    ["/msg/", "@oncall", "[bob@example.com ops@rooms.example.com]"],
    ["/msg/@oncall", "@oncall", "[bob@example.com ops@rooms.example.com]"],
    ["/msg/@oncall,@crew", undefined, "[bob@example.com ops@rooms.example.com carol@example.net/desk]"],
    ["/msg/", ["@crew", "ops@rooms.example.com"], "[ops@rooms.example.com carol@example.net/desk]"],
    ["/msg/@oncal", undefined, "[@oncal: bad_recipient]"],
    ["/msg/@oncall/desk", undefined, "[@oncall/desk: bad_recipient]"],
    ["/msg/a,b,c,d", undefined, "[a@example.com b@example.com c@example.com d@example.com]"],
    ["/msg/a,b,c,d,a", undefined, "[a@example.com b@example.com c@example.com d@example.com]"],
    ["/msg/a,b,c,d,e", undefined, "too_many_recipients"],
    ["/msg/@oncall,@crew,x,y", undefined, "too_many_recipients"],
  ])("%s with %p is for %s", (path, field, outcome) => {
    expect(find(path, field)).toBe(outcome);
  });
});

test.each([
  ["/msg/@oncal", 'The recipient "@oncal" is no alias of this gateway; did you mean "@oncall"?'],
  ["/msg/@nobody", 'The recipient "@nobody" is no alias of this gateway; it needs a place under [aliases].'],
])("%s, which is no alias, is told the nearest one", (path, sentence) => {
  const { list } = findRecipients(recipientsInPath("/msg")(`http://gw${path}`), undefined, alice, naming);
  expect(list.map((each) => ("failure" in each ? each.failure.message : "none"))).toEqual([sentence]);
});
