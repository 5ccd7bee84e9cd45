/** Nobody sends a link elsewhere: see-other-host, the place where to resume, and addresses in bounces are not followed. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { How, Step } from "../support/peer/fault.ts";
import type { PeerBehaviour } from "../support/peer/options.ts";
import { startWatchedGateway, usualQueries, type WatchedGateway } from "../support/watched-gateway.ts";

const noBehaviour: Partial<PeerBehaviour> = { answers: {}, fault: undefined, bounce: undefined };

let watched: WatchedGateway;

beforeAll(async () => {
  watched = await startWatchedGateway();
});
beforeEach(() => watched.begin());
afterEach(() => watched.check());
afterAll(() => watched.stop());

describe("a redirect is not followed:", () => {
  let nth = 0;
  beforeEach(() => {
    watched.dns.change(watched.zone);
    nth++;
    watched.peer.change({ ...noBehaviour, accounts: { [`guest${nth}@example.com`]: "secret" } });
  });
  const destinations = () => [
    `127.0.0.1:${watched.trap.port}`,
    `localhost:${watched.trap.port}`,
    `[::ffff:127.0.0.1]:${watched.trap.port}`,
    `xmpp.evil.example:${watched.trap.port}`,
    "evil.example",
    `xmpp://127.0.0.1:${watched.trap.port}`,
  ];
  const seeOtherHost = (destination: string) =>
    `<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>${destination}</see-other-host></stream:error></stream:stream>`;
  const redirect = (destination: string): How => ({ send: seeOtherHost(destination) });
  const expectNoneBesides = () => {
    for (const query of watched.queries()) expect(usualQueries).toContain(query);
    for (const address of watched.connections()) expect(address).toBe(`127.0.0.1:${watched.peer.port}`);
    expect(watched.connections().length).toBeGreaterThan(0);
  };

  const streamSteps = [
    "features",
    "proceed",
    "tls-features",
    "challenge",
    "success",
    "restart-features",
    "bind",
    "enable",
  ] as const satisfies readonly Step[];
  test.each(streamSteps)("see-other-host in place of %s", async (at) => {
    for (const destination of destinations()) {
      watched.peer.change({ fault: { at, how: redirect(destination) } });
      const answer = await watched.post(`guest${nth}@example.com`);
      expect(answer).toMatchObject({ status: 502, code: "redirect" });
    }
    expectNoneBesides();
  });

  test("see-other-host to a live session", async () => {
    for (const destination of destinations()) {
      watched.peer.change({ fault: { at: "ack", how: redirect(destination) } });
      await watched.post(`guest${nth}@example.com`);
    }
    expectNoneBesides();
  });

  test("the place where to resume, of XEP-0198", async () => {
    for (const destination of destinations()) {
      const location = (proper: string) =>
        proper.replace("/>", ` id='x${nth}' resume='true' location='${destination}'/>`);
      watched.peer.change({
        answers: {
          enable: (proper) =>
            proper.includes(" id=") ? proper.replace("/>", ` location='${destination}'/>`) : location(proper),
        },
      });
      expect(Number((await watched.post(`guest${nth}@example.com`))["status"])).toBe(201);
      watched.peer.dropAll();
      await watched.peer.settled(0);
      expect([201, 504]).toContain(Number((await watched.post(`guest${nth}@example.com`))["status"]));
    }
    expectNoneBesides();
  });

  test("a bounce that says where the recipient has gone", async () => {
    for (const condition of ["redirect", "gone"]) {
      for (const destination of destinations()) {
        const error = `<error type='modify'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:bob@${destination}</${condition}></error>`;
        watched.peer.change({
          onStanza: (stanza, connection) => {
            if (stanza.name !== "message") return false;
            connection.deliver(
              `<message type='error' id='${stanza.attributes["id"]}' from='bob@evil.example'>${error}</message>`,
            );
            return false;
          },
        });
        const answer = await watched.post(`guest${nth}@example.com`);
        expect(answer["code"]).toBe(condition);
      }
    }
    watched.peer.change({ onStanza: undefined });
    expectNoneBesides();
  });
});
