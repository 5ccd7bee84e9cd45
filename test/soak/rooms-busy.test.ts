/** A busy room: what others say there is read past, and nothing of it stays. */

import { expect, test } from "bun:test";
import { startBinary } from "../support/gateway.ts";
import { residentKiB } from "../support/process-figures.ts";
import { startProsody } from "../support/prosody.ts";
import { hostsOf, logInReceiver } from "../support/real-servers.ts";
import { allowed, sized } from "../support/soak.ts";

const warmUp = 2_000;
const count = sized(100_000, 10_000);
/** So many in one write. */
const burst = 50;
/** Kept, they would be 20 MB at the least. */
const text = "x".repeat(2_000);
const mostGrowthKiB = 10_240;
const room = "busy@rooms.example.com";

test(
  `${count} messages by others in a room do not make the gateway grow`,
  async () => {
    const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
    const server = await startProsody({ accounts, roomsDomain: "rooms.example.com" });
    const gateway = await startBinary({ hosts: hostsOf(server), settings: { log: { level: "warn" } } });
    const bob = await logInReceiver(server, "bob@example.com");
    const post = async () => {
      const body = JSON.stringify({ to: room, type: "groupchat", body: "are you there?", create_room: true });
      const response = await gateway.post("/msg/", body, { headers: { "Content-Type": "application/json" } });
      expect(response.status).toBe(201);
    };
    /** Resolves when the gateway has read them all: its own message is shown behind them. */
    const talk = async (messages: number) => {
      for (let said = 0; said < messages; said += burst) {
        const stanza = `<message to='${room}' type='groupchat' id='m'><body>${text}</body></message>`;
        bob.send(stanza.repeat(burst));
        await bob.request("get", "<ping xmlns='urn:xmpp:ping'/>", "example.com");
      }
      await post();
    };
    try {
      await post();
      bob.send(`<presence to='${room}/bob'><x xmlns='http://jabber.org/protocol/muc'/></presence>`);
      await bob.received(({ name, attributes }) => name === "presence" && attributes["from"] === `${room}/bob`);
      await talk(warmUp);
      const before = await residentKiB(gateway.process.pid);
      await talk(count);
      const growth = (await residentKiB(gateway.process.pid)) - before;
      process.stdout.write(`${count} messages by others: the gateway grew by ${growth} KiB\n`);
      expect(growth).toBeLessThan(mostGrowthKiB);
      expect(bob.waiting.length).toBeGreaterThanOrEqual(count);
    } finally {
      await bob.close();
      await gateway.stop();
      await server.stop();
    }
  },
  allowed(600_000, 120_000),
);
