/** The requests that the documents show, run to the letter by a shell, with curl, in front of a real server. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runToEnd } from "../support/child-process.ts";
import type { Gateway } from "../support/gateway.ts";
import { startProsody } from "../support/prosody.ts";
import { type RealGateway, startRealGateway } from "../support/real-gateway.ts";
import { startBob, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

const root = join(import.meta.dir, "../..");
const documents = ["README.md", "docs/messages.md"] as const;
const address = "http://127.0.0.1:5280";

/** In the order in which they stand: a curl that posts a message, its lines joined as the shell would join them. */
async function readRequests(document: string): Promise<string[]> {
  const text = (await Bun.file(join(root, document)).text()).replaceAll("\\\n", "");
  const commands = [...text.matchAll(/^(?: {4})?(?:\$ )?(curl .+)$/gm)].map(([, command = ""]) => command);
  return commands.filter((command) => /5280\/(?:msg|rest)/.test(command));
}

const requests = (
  await Promise.all(
    documents.map(async (name) => (await readRequests(name)).map((command) => [name, command] as const)),
  )
).flat();

describe("a request of the documents", () => {
  let started: RealGateway<Receiver>;
  let gateway: Gateway;
  let bob: Receiver;
  let folder: TempFolder;
  beforeAll(async () => {
    const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
    started = await startRealGateway(() => startProsody({ accounts }), startBob);
    ({ gateway, client: bob } = started);
    folder = await makeTempFolder("post-msg-documents-");
    // In place of the user's own: nothing of it changes a request.
    await folder.write(".curlrc", 'silent\nshow-error\nnoproxy = "*"\nmax-time = 30\nwrite-out = "\\n%{http_code}"\n');
  }, startTimeoutMs);
  afterAll(async () => {
    await folder?.remove();
    await started?.stop();
  }, startTimeoutMs);

  test.each(requests)("%s: %s", async (_, command) => {
    const here = command.replace(address, new URL(gateway.url).origin);
    expect(here).not.toBe(command);
    const output = await runToEnd(["sh", "-c", here], { env: { ...process.env, CURL_HOME: folder.path } });
    const [body = "", status = ""] = output.split(/\n(?=\d+$)/);
    const message = await bob.nextMessage();
    if (command.includes("/rest")) expect([body, status]).toEqual(["", "202"]);
    else expect([JSON.parse(body), status]).toEqual([expect.objectContaining({ id: message.id }), "201"]);
    expect(message).toMatchObject({ to: "bob@example.com", from: expect.stringMatching(/^alice@example\.com\//) });
    expect(message.element.children.length).toBeGreaterThan(0);
  });

  test.each([
    ["a text", /-H "Content-Type: text\/plain" -d /],
    ["a text that curl calls a form", /msg\/bob .*-d "load=5 high"/],
    ["JSON", /msg\/bob .*--json /],
    ["a form", /msg\/ .*-d to=.* --data-urlencode /],
    ["a multipart form", /msg\/bob .*-F /],
    ["a stanza", /rest .*application\/xmpp\+xml/],
  ])("is in the README for %s", (_, pattern) => {
    const shown = requests.filter(([name, command]) => name === "README.md" && pattern.test(command));
    expect(shown.length).toBeGreaterThan(0);
  });
});
