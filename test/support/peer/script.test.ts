import { afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { makeAuthority } from "../ca.ts";
import { startReceiver } from "../receiver.ts";
import * as script from "./script.ts";

const owned: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

async function given(moves: Parameters<typeof script.startScript>[0]): Promise<script.ScriptServer> {
  const server = await script.startScript(moves);
  owned.push(server.stop);
  return server;
}

/** Says `text` and resolves with what came back until the end, and how it ended. */
function talk(port: number, text: string): Promise<[string, string]> {
  const socket = connect(port, "127.0.0.1");
  owned.push(() => socket.destroy());
  let answer = "";
  socket.on("data", (bytes) => {
    answer += bytes.toString("latin1");
  });
  socket.write(text);
  return new Promise((resolve) => {
    socket.once("end", () => resolve([answer, "FIN"]));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve([answer, error.code ?? "error"]));
  });
}

describe("a script", () => {
  test("waits for what it expects, answers with what it matched, and closes", async () => {
    const server = await given([
      script.expectText(/hello (\w+)/),
      script.send((match) => `hi ${match?.[1]}, `),
      script.expectText(/bye/),
      script.sendSlowly("goodbye"),
      script.close(),
    ]);
    expect(await talk(server.port, "hello bob, bye")).toEqual(["hi bob, goodbye", "FIN"]);
    await server.finished();
    expect(server.clients[0]?.text).toBe("hello bob, bye");
  });

  test("resets", async () => {
    const server = await given([script.expectText(/hello/), script.reset()]);
    expect(await talk(server.port, "hello")).toEqual(["", "ECONNRESET"]);
  });

  test("can be another one for each client", async () => {
    const server = await given((number) => [script.send(`you are ${number}`), script.close()]);
    expect((await talk(server.port, ""))[0]).toBe("you are 1");
    expect((await talk(server.port, ""))[0]).toBe("you are 2");
  });

  test("sends forever, but not beyond the client's end", async () => {
    const server = await given([script.sendForever(" ")]);
    const socket = connect(server.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await server.finished();
    expect(server.openCount).toBe(0);
  });

  test("tells which expectation was not met", async () => {
    const server = await given([script.expectText(/never/, 20)]);
    void talk(server.port, "hello");
    await expect(server.finished()).rejects.toThrow("/never/");
  });

  test("speaks TLS from where it is told to", async () => {
    const authority = await makeAuthority();
    const certificate = await authority.issue({ dnsNames: ["example.com"] });
    const server = await given([
      script.startTls({ certificate }),
      script.expectText(/<stream:stream [^>]*>/),
      script.send("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'><surprise/>"),
      script.hang(),
    ]);
    const login = startReceiver({
      ...{ port: server.port, security: "direct", ca: authority.certificatePem },
      ...{ jid: "alice@example.com", password: "secret" },
    });
    await expect(login).rejects.toThrow("<surprise/>");
    await server.finished();
  });
});
