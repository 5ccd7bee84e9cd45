/** What a link asks others: whose reply counts, and what becomes of a question that nobody answers. */

import { expect, test } from "bun:test";
import xml from "@xmpp/xml";
import { Failure } from "../../src/errors.ts";
import { createRequests } from "../../src/xmpp/requests.ts";
import { jid } from "../support/jid.ts";

const service = jid("rooms.example.com");

/** Requests whose stanzas are kept. */
function makeRequests() {
  const written: string[] = [];
  const requests = createRequests((stanza) => written.push(stanza));
  const idOf = (nth: number) => / id="([^"]+)"/.exec(written[nth] ?? "")?.[1];
  return { requests, written, idOf };
}

test("a reply counts from whoever was asked, for the question with its id, once", async () => {
  const { requests, written, idOf } = makeRequests();
  const answer = requests.ask("get", service, "<query/>", 5_000);
  expect(written[0]).toMatch(/^<iq type="get" id="[^"]+" to="rooms\.example\.com"><query\/><\/iq>$/);
  const reply = (attributes: Record<string, string | undefined>) => xml("iq", { type: "result", ...attributes });
  expect(requests.heed(reply({ id: "another", from: "rooms.example.com" }))).toBe(false);
  expect(requests.heed(reply({ id: idOf(0), from: "mallory@example.org" }))).toBe(false);
  expect(requests.heed(reply({ id: idOf(0), from: "@/" }))).toBe(false);
  expect(requests.heed(reply({ id: idOf(0) }))).toBe(false);
  const right = reply({ id: idOf(0), from: "ROOMS.example.com" });
  expect(requests.heed(right)).toBe(true);
  expect(await answer).toBe(right);
  expect(requests.heed(right)).toBe(false);
});

test("a question that nobody answers in time, or before the link is lost, is rejected", async () => {
  const { requests } = makeRequests();
  await expect(requests.ask("get", service, "<query/>", 1)).rejects.toMatchObject({ code: "remote_server_timeout" });
  const open = requests.ask("get", service, "<query/>", 5_000);
  const lost = new Failure("stream_closed", "It ended.");
  requests.stop(lost);
  await expect(open).rejects.toBe(lost);
  await expect(requests.ask("get", service, "<query/>", 5_000)).rejects.toBe(lost);
});
