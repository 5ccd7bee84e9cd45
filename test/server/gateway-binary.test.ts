/** The executable in front of real servers, called with the real curl. */

import { expect, test } from "bun:test";
import { runCurl } from "../demo/curl.ts";
import { canListen, findFreePort } from "../support/free-port.ts";
import { startBinary } from "../support/gateway.ts";
import { hostsOf, realServers, startTimeoutMs } from "../support/real-servers.ts";
import { startReceiver } from "../support/receiver.ts";
import { makeTempFolder } from "../support/temp-folder.ts";

test.each(realServers)(
  "the example in the README of mod_post_msg works to the letter: %s",
  async (_, startServer) => {
    await using started = new AsyncDisposableStack();
    const folder = started.adopt(await makeTempFolder(), (it) => it.remove());
    const accounts = { "me@example.com": "mypassword", "user@example.com": "secret" };
    const server = started.adopt(await startServer({ accounts }), (it) => it.stop());
    const ca = server.authority.certificatePem;
    const login = { port: server.c2sPort, ca, jid: "user@example.com", password: "secret" };
    const user = started.adopt(await startReceiver(login), (it) => it.close());
    // 5280 is the port of the example, which another program may have.
    const port = (await canListen(5280)) ? 5280 : await findFreePort();
    const settings = { http: { listen: `127.0.0.1:${port}` } };
    const gateway = started.adopt(await startBinary({ hosts: hostsOf(server), settings }), (it) => it.stop());
    expect(gateway.url).toBe(`http://127.0.0.1:${port}/msg`);

    const elsewhere = ["--resolve", `example.com:${port}:127.0.0.1`];
    const example = [`http://example.com:${port}/msg/user`, "-u", "me@example.com:mypassword"];
    const text = "Server@host has just crashed!";
    const words = ["curl", ...elsewhere, ...example, "-H", "Content-Type: text/plain", "-d", text];
    const reply = await runCurl(words, folder);
    expect(reply.statusLine).toBe("HTTP/1.1 201 Created");
    const message = await user.nextMessage();
    expect(message).toMatchObject({ body: text, type: "chat", to: "user@example.com" });
    expect(message.from).toStartWith("me@example.com/");
    expect(JSON.parse(reply.body)).toEqual({
      id: message.id,
      from: "me@example.com",
      to: "user@example.com",
      type: "chat",
    });
    expect(user.waiting).toEqual([]);
  },
  startTimeoutMs,
);
