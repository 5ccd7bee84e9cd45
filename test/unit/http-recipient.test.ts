/** To whom: path and field. */

import { describe, expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { findRecipient, recipientInPath } from "../../src/http/recipient.ts";
import { parseJid } from "../../src/jid.ts";
import { startGateway } from "../support/http-gateway.ts";

const parsed = parseJid("alice@example.com");
if ("problem" in parsed) throw new Error(parsed.problem);
const alice = parsed.jid;

function find(path: string, field?: string): string {
  try {
    return findRecipient(recipientInPath(`http://gw${path}`, "/msg"), field, alice, ["example.com", "example.org"])
      .full;
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
}

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
    ["/msg/@host", "bad_recipient"],
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
