/** A login that is connected, and waits until SASL may be risked: src/xmpp in front of the scripted peer. */

import { afterEach, expect, spyOn, test } from "bun:test";
import type { Failure } from "../../src/errors.ts";
import type { Admit, LinkEvents } from "../../src/link.ts";
import type { LoginReport } from "../../src/tally.ts";
import { createConnect } from "../../src/xmpp/connect.ts";
import { jid } from "../support/jid.ts";
import { lookupAt } from "../support/login-attempt.ts";
import { type Peer, startPeer } from "../support/peer/peer.ts";
import { within } from "../support/wait.ts";

const credentials = { account: jid("alice@example.com"), password: "secret" };
const events = { lost: () => {} } as unknown as LinkEvents;

let peer: Peer;
afterEach(() => peer.stop());

async function begin() {
  peer = await startPeer();
  const reports: LoginReport[] = [];
  const connect = createConnect({
    keepaliveMs: 60_000,
    lookup: lookupAt({ address: "127.0.0.1:9" }),
    findHost: (domain) => ({
      domain,
      connect: { hostname: peer.host, port: peer.port, tls: "starttls" },
      caCertificates: [peer.authority.certificatePem],
      insecurePlaintext: false,
      grace: 0,
    }),
    onLogin: (report) => reports.push(report),
  });
  const asked = Promise.withResolvers<Parameters<Admit>>();
  const admit: Admit = (server, authenticate, over) => {
    asked.resolve([server, authenticate, over]);
    return new Promise((_, reject) => {
      over.addEventListener("abort", () => reject(over.reason), { once: true });
    });
  };
  return { connect, reports, asked: asked.promise, terms: { signal: new AbortController().signal, admit } };
}

test.each(["login", "verify"] as const)("%s: hears at once that the server has ended the stream", async (kind) => {
  const { connect, reports, asked, terms } = await begin();
  const outcome: Promise<unknown> =
    kind === "login" ? connect.login(credentials, events, terms) : connect.verify(credentials, terms);
  const failure = outcome.catch((error: Failure) => error);
  const [server] = await within(5_000, "its question", asked);
  expect(server).toBe(`${peer.host} ${peer.port}`);
  expect(connect.serverOf("example.com")).toBe(server);
  // A domain may move to another server.
  const later = performance.now() + 60_001;
  using _clock = spyOn(performance, "now").mockReturnValueOnce(later);
  expect(connect.serverOf("example.com")).toBeUndefined();
  const connection = await peer.connection(1);
  connection.send("<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
  expect(await within(5_000, "the end", failure)).toMatchObject({ code: "server_policy" });
  // It was not tried, and is not to be counted among those that were.
  expect([reports, peer.sawSasl]).toEqual([[], false]);
  await peer.settled(0);
});
