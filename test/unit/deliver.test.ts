import { describe, expect, test } from "bun:test";
import { createDeliver, type DeliverParts } from "../../src/deliver.ts";
import { Failure } from "../../src/errors.ts";
import { jid } from "../support/jid.ts";
import { within } from "../support/wait.ts";

const request = {
  credentials: { account: jid("alice@example.com"), password: "secret" },
  message: { id: "m1", to: jid("bob@example.com/desk"), type: "chat" as const, body: "hi" },
  clientAddress: "127.0.0.1",
  waitMs: 0,
  caller: { signal: new AbortController().signal },
};

/** A delivery whose sessions answer with `answers`, one a session. */
function deliverWith(
  answers: readonly (Failure | "taken")[],
  parts: Partial<DeliverParts> = {},
  later: Promise<"received" | "over" | Failure> = new Promise(() => {}),
) {
  let opened = 0;
  const deliver = createDeliver({
    openSession: async () => {
      const answer = answers[opened++];
      return {
        destinationOf: () => "elsewhere",
        send: () => (answer instanceof Failure ? Promise.reject(answer) : Promise.resolve()),
        watch: () => ({ outcome: later, stop: () => {} }),
      };
    },
    toStanza: () => "<message/>",
    maxStanzaBytes: () => 100,
    ...parts,
  });
  return { deliver, opened: () => opened };
}

describe("a delivery", () => {
  test("gives a receipt with the message's id, the sender's bare address and the recipient as addressed", async () => {
    expect(await deliverWith(["taken"]).deliver(request)).toEqual({
      id: "m1",
      from: "alice@example.com",
      to: "bob@example.com/desk",
      type: "chat",
    });
  });

  test("tries a fresh session when the cached one ended before a byte was written, once", async () => {
    const gone = new Failure("stream_closed", "Gone.");
    const recovered = deliverWith([gone, "taken"]);
    await recovered.deliver(request);
    expect(recovered.opened()).toBe(2);
    const lost = deliverWith([gone, gone, "taken"]);
    await expect(lost.deliver(request)).rejects.toMatchObject({ code: "stream_closed", outcome: "not_sent" });
    expect(lost.opened()).toBe(2);
  });

  test.each(["connection_lost", "ack_timeout", "item_not_found", "withdrawn"] as const)(
    "never sends again after %s",
    async (code) => {
      const once = deliverWith([new Failure(code, "No."), "taken"]);
      await expect(once.deliver(request)).rejects.toMatchObject({ code });
      expect(once.opened()).toBe(1);
    },
  );

  test("refuses a stanza that the server would not take before it logs in", async () => {
    const large = deliverWith(["taken"], { toStanza: () => "é".repeat(51) });
    await expect(large.deliver(request)).rejects.toMatchObject({ code: "stanza_too_large" });
    expect(large.opened()).toBe(0);
  });

  test("writes no copy of a message for somebody else before the login, which may be a guesser's", async () => {
    let written = 0;
    const login = Promise.withResolvers<never>();
    const { deliver } = deliverWith([], {
      openSession: () => login.promise,
      toStanza: () => {
        written += 1;
        return "<message/>";
      },
    });
    const all = [false, true, true].map((isCopy) => deliver({ ...request, isCopy }));
    expect(written).toBe(1);
    login.reject(new Failure("credentials_rejected", "No."));
    for (const each of await Promise.allSettled(all)) expect(each.status).toBe("rejected");
    expect(written).toBe(1);
  });

  test("refuses a copy that the server would not take once it has logged in", async () => {
    const large = deliverWith(["taken"], { toStanza: () => "é".repeat(51) });
    await expect(large.deliver({ ...request, isCopy: true })).rejects.toMatchObject({ code: "stanza_too_large" });
  });

  test("does not go on waiting for a receipt when its caller hung up while it was being sent", async () => {
    const { deliver } = deliverWith(["taken"]);
    const receipt = deliver({ ...request, waitMs: 60_000, caller: { signal: AbortSignal.abort() } });
    expect(await within(5_000, "an answer that nobody waits for", receipt)).toMatchObject({ status: "accepted" });
  });

  test.each([
    ["received", Promise.resolve("received" as const)],
    ["accepted", new Promise<never>(() => {})],
    ["accepted", Promise.resolve("over" as const)],
  ])("that waits says %s", async (status, later) => {
    const { deliver } = deliverWith(["taken"], {}, later);
    expect(await deliver({ ...request, waitMs: 20 })).toMatchObject({ id: "m1", status });
  });

  test("that waits fails when the message is refused meanwhile", async () => {
    const { deliver } = deliverWith(["taken"], {}, Promise.resolve(new Failure("remote_server_not_found", "No.")));
    await expect(deliver({ ...request, waitMs: 1000 })).rejects.toMatchObject({ code: "remote_server_not_found" });
  });
});
