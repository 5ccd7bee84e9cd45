/** Whoever needs a connection that was lost waits for the next one, but not for ever. */

import { expect, test } from "bun:test";
import { Failure } from "../../src/errors.ts";
import { PresentLink } from "../../src/session/present-link.ts";
import { jid } from "../support/jid.ts";

const lost = `The connection to the XMPP server of "example.com" was lost and did not come back in time; nothing was sent.`;

function expecting(): PresentLink {
  const present = new PresentLink(jid("alice@example.com"), 10);
  present.expect();
  return present;
}

test("a connection that does not come back is not waited for longer than is patient", async () => {
  await expect(expecting().get()).rejects.toMatchObject({ code: "withdrawn", message: lost });
});

test("what kept it from coming back is told", async () => {
  const present = expecting();
  present.missed(new Failure("server_unreachable", "The server refuses connections."));
  const message = `${lost} The server refuses connections.`;
  await expect(present.get()).rejects.toMatchObject({ code: "server_unreachable", outcome: "not_sent", message });
});

test("a server that hung up again does not make anybody try at once", async () => {
  const present = expecting();
  present.missed(new Failure("stream_closed", "The server hung up."));
  await expect(present.get()).rejects.toMatchObject({ code: "withdrawn", message: `${lost} The server hung up.` });
});
