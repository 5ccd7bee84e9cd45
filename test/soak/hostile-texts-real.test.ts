/** Odd texts through real servers: each arrives as it was meant, and none costs the sender its stream. */

import { expect, test } from "bun:test";
import { startEjabberd } from "../support/ejabberd.ts";
import { startGateway } from "../support/gateway.ts";
import { drawHtml, drawText, replaceForbidden } from "../support/odd-texts.ts";
import { startProsody } from "../support/prosody.ts";
import type { RealServer, RealServerOptions } from "../support/real-server.ts";
import { hostsOf } from "../support/real-servers.ts";
import { startReceiver } from "../support/receiver.ts";
import { allowed, makeRandom, sized } from "../support/soak.ts";
import { readStrictly, type Tree } from "../support/strict-xml.ts";

const codePoints = 0x11_0000;
const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };

const starters: readonly (readonly [string, (options: RealServerOptions) => Promise<RealServer>])[] = [
  ["Prosody", startProsody],
  ["ejabberd", startEjabberd],
];

test.concurrent.each(starters)(
  "odd texts arrive through %s as they were meant",
  async (name, startServer) => {
    const random = makeRandom(`odd texts through ${name}`);
    const server = await startServer({ accounts });
    const gateway = await startGateway({
      hosts: hostsOf(server),
      settings: { http: { forbidden_characters: "replace" } },
    });
    const bob = await startReceiver({
      port: server.c2sPort,
      ca: server.authority.certificatePem,
      jid: "bob@example.com",
      password: "secret",
    });
    const count = sized(1_000, 50);
    for (let number = 0; number < count; number++) {
      const codePoint = number % 2 === 0 ? Math.floor(number / 2) : random.integer(0, codePoints);
      const typed = drawText(random, 8, codePoint);
      const html = drawHtml(random);
      const response = await gateway.post("/msg/bob", JSON.stringify({ body: typed, html: html.text }), {
        headers: { "Content-Type": "application/json" },
      });
      expect([response.status, typed]).toEqual([201, typed]);
      const message = await bob.nextMessage();
      expect(asPassedOn(message.body ?? "")).toBe(asPassedOn(replaceForbidden(typed)));
      const [body] = message.html === undefined ? [] : readStrictly(message.html).children;
      const arrived = typeof body === "object" ? body.children : [];
      expect(arrived.map(treeAsPassedOn)).toEqual(html.means.map(treeAsPassedOn));
    }
    const news = gateway.lines.filter(({ msg }) => /ended|lost|failed|back/.test(msg));
    expect(news).toEqual([]);
    await gateway.stop();
    await bob.close();
    await server.stop();
  },
  allowed(3_600_000, 60_000),
);

/**
 * Both servers write a carriage return, and white space in an attribute, as it is and not as a reference; by XML 1.0
 * (sections 2.11 and 3.3.3) the reader then sees a line feed, or spaces. Nothing that a sender does can change that.
 */
function asPassedOn(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

function treeAsPassedOn(tree: Tree | string): Tree | string {
  if (typeof tree === "string") return asPassedOn(tree);
  const attributes = tree.attributes.map(([name, value]) => [name, asPassedOn(value).replace(/[\n\t]/g, " ")] as const);
  return { ...tree, attributes, children: tree.children.map(treeAsPassedOn) };
}
