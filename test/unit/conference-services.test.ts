/** What is remembered of a domain, for how long, and for whom. */

import { expect, test } from "bun:test";
import { type Code, Failure } from "../../src/errors.ts";
import type { Link } from "../../src/link.ts";
import { ConferenceServices, rememberServices } from "../../src/session/conference-services.ts";
import { jid } from "../support/jid.ts";
import { noRooms } from "../support/no-rooms.ts";

const [alice, carol] = [jid("alice@example.com"), jid("carol@example.com")];
const room = jid("lobby@rooms.example.com");

/** A table with a clock of its own, and links that count how often a domain is asked. */
function begin() {
  const clock = { ms: 0 };
  const asked: string[] = [];
  const services = new ConferenceServices(() => clock.ms);
  const link = (answer: () => Promise<boolean>) => async () => {
    const isService = (domain: string) => {
      asked.push(domain);
      return answer();
    };
    return { rooms: { ...noRooms, isService } } as unknown as Link;
  };
  const fails = (code: Code) => link(() => Promise.reject(new Failure(code, "No.")));
  return { clock, asked, services, link, fails };
}

test("an answer is remembered for an hour, and told at once", async () => {
  const { clock, asked, services, link } = begin();
  const yes = link(async () => true);
  expect(await services.destinationOf(room, alice, yes)).toBe("room");
  expect(services.destinationOf(room, carol, yes)).toBe("room");
  expect(services.destinationOf(jid("lobby@rooms.example.com/bob"), carol, yes)).toBe("occupant");
  clock.ms = 3_600_001;
  const no = link(async () => false);
  expect(await services.destinationOf(room, alice, no)).toBe("elsewhere");
  expect(services.destinationOf(room, alice, no)).toBe("elsewhere");
  expect(asked).toHaveLength(2);
});

test("a refusal is remembered for a minute, and a connection that was lost is not", async () => {
  const { clock, asked, services, fails } = begin();
  for (const code of ["stream_closed", "server_shutdown"] as const) {
    expect(await services.destinationOf(room, alice, fails(code))).toBe("elsewhere");
  }
  for (const code of ["remote_server_not_found", "remote_server_timeout"] as const) {
    expect(await services.destinationOf(room, alice, fails(code))).toBe("elsewhere");
    expect(services.destinationOf(room, alice, fails(code))).toBe("elsewhere");
    clock.ms += 60_001;
  }
  expect(asked).toHaveLength(4);
  expect(await services.destinationOf(room, alice, () => Promise.reject(new Error("fault")))).toBe("elsewhere");
});

test("who asks at the same time asks once, and nobody waits for another account's connection", async () => {
  const { asked, services, link } = begin();
  const slow = Promise.withResolvers<boolean>();
  const waiting = [1, 2, 3].map(() =>
    services.destinationOf(
      room,
      alice,
      link(() => slow.promise),
    ),
  );
  expect(
    await services.destinationOf(
      room,
      carol,
      link(async () => true),
    ),
  ).toBe("room");
  slow.resolve(true);
  expect(await Promise.all(waiting)).toEqual(["room", "room", "room"]);
  expect(asked).toHaveLength(2);
});

test("nobody is asked about the sender's own domain or an address without a user; hosts know nothing of each other", async () => {
  const { asked, services, link } = begin();
  const yes = link(async () => true);
  expect(services.destinationOf(jid("bob@example.com/desk"), alice, yes)).toBe("elsewhere");
  expect(services.destinationOf(jid("rooms.example.com"), alice, yes)).toBe("elsewhere");
  expect(asked).toEqual([]);
  const servicesOf = rememberServices();
  expect(servicesOf("example.com")).toBe(servicesOf("example.com"));
  expect(servicesOf("example.com")).not.toBe(servicesOf("example.org"));
});

test("10,000 domains are remembered, the newest", async () => {
  const { asked, services, link } = begin();
  const no = link(async () => false);
  for (let number = 0; number <= 10_000; number++) {
    await services.destinationOf(jid(`a@d${number}.example`), alice, no);
  }
  expect(asked).toHaveLength(10_001);
  expect(services.destinationOf(jid("a@d10000.example"), alice, no)).toBe("elsewhere");
  await services.destinationOf(jid("a@d0.example"), alice, no);
  expect(asked).toHaveLength(10_002);
});
