/** Where it listens: alone, or in the place of another process that is about to end. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, lstat, readdir, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { explain, explainPort } from "../../src/http/cannot-listen.ts";
import type { ListenAddress } from "../../src/http/options.ts";
import { alice, type Gateway, startGateway } from "../support/http-gateway.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

async function failureOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "no failure",
    (error: Error) => error.message,
  );
}

describe("the address", () => {
  test("of another process is refused, not shared", async () => {
    await using first = await startGateway();
    const listen: ListenAddress = { hostname: "127.0.0.1", port: first.port };
    const command = `ss -ltnp 'sport = :${first.port}'`;
    const refused = `Could not listen on "127.0.0.1:${first.port}", as [http] listen says: another process has that address, and "${command}", run as root, names it.`;
    expect(await failureOf(startGateway({ listen }))).toBe(refused);
    expect(await failureOf(startGateway({ listen, reusePort: true }))).toBe(refused);
  });

  test("that this machine does not have is refused", async () => {
    expect(await failureOf(startGateway({ listen: { hostname: "192.0.2.1", port: 0 } }))).toBe(
      'Could not listen on "192.0.2.1:0", as [http] listen says: this machine has no such address.',
    );
  });

  test("that is a name without an address is refused as what it is", async () => {
    expect(await failureOf(startGateway({ listen: { hostname: "no-such-host.invalid", port: 0 } }))).toBe(
      'Could not listen on "no-such-host.invalid:0", as [http] listen says: that name has no address.',
    );
  });

  test("may be IPv6", async () => {
    await using gateway = await startGateway({ listen: { hostname: "::1", port: 0 } });
    expect(gateway.origin).toStartWith("http://[::1]:");
    expect((await gateway.post("/msg/bob", "hi")).status).toBe(201);
  });

  test.each(["127.0.0.1", "::1"])(
    "%s is taken over with reuse_port: the newest gets every new connection, the old one finishes its own",
    async (hostname) => {
      const old = await startGateway({ listen: { hostname, port: 0 }, reusePort: true });
      const listen = { hostname, port: old.port };
      expect(await failureOf(startGateway({ listen }))).toContain("another process has that address");
      const kept = await open(listen);
      await using fresh = await startGateway({ listen, reusePort: true });
      const statuses = await Promise.all(Array.from({ length: 50 }, () => postOnce(fresh)));
      expect(statuses).toEqual(statuses.map(() => 201));
      expect([old.deliveries.length, fresh.deliveries.length]).toEqual([0, 50]);

      const stopped = old[Symbol.asyncDispose]();
      kept.write(request);
      expect(await answerOn(kept)).toMatch(/^HTTP\/1\.1 201 [\s\S]*\r\nConnection: close\r\n/);
      await stopped;
      expect(await postOnce(fresh)).toBe(201);
      expect([old.deliveries.length, fresh.deliveries.length]).toEqual([1, 51]);
    },
  );
});

test.each([
  ["EADDRINUSE", "another process has that address"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["ENOTFOUND", "that name has no address"],
  ["EAI_AGAIN", "that name has no address"],
  ["EACCES", "this user may not; ports below 1024 and foreign folders need a permission"],
  ["ENOTDIR", "its folder does not exist"],
  ["EMFILE", "the system refused (EMFILE)"],
  [undefined, "the system refused (no reason given)"],
])("%s, when listening, is explained", (code, sentence) => {
  expect(explain(code)).toBe(sentence);
});

test("how the process is found that has a port, is said for the system at hand", () => {
  expect(explainPort("EADDRINUSE", 9590, "linux")).toEndWith(`"ss -ltnp 'sport = :9590'", run as root, names it`);
  expect(explainPort("EADDRINUSE", 9590, "darwin")).toContain(`"lsof -nP -iTCP:9590 -sTCP:LISTEN"`);
  expect(explainPort("EACCES", 80, "linux")).toBe(explain("EACCES"));
});

describe("a Unix socket", () => {
  let folder: TempFolder;
  let unixPath: string;
  beforeEach(async () => {
    folder = await makeTempFolder("post-msg-http-");
    unixPath = join(folder.path, "http.sock");
  });
  afterEach(() => folder.remove());

  const headers = { Authorization: alice, Connection: "close" };
  const post = () => fetch("http://gw/msg/bob", { unix: unixPath, method: "POST", body: "hi", headers });
  const modeOf = async () => ((await lstat(unixPath)).mode & 0o777).toString(8);

  test("serves requests, has its mode, and is refused to a second process", async () => {
    await using _first = await startGateway({ listen: { unixPath }, socketMode: 0o622 });
    expect(await failureOf(startGateway({ listen: { unixPath } }))).toBe(
      `Could not listen on "${unixPath}", as [http] listen says: another process answers on it.`,
    );
    expect((await post()).status).toBe(201);
    expect([await readdir(folder.path), await modeOf()]).toEqual([["http.sock"], "622"]);
  });

  test("is taken over with reuse_port, and the old process does not remove the new one's", async () => {
    const old = await startGateway({ listen: { unixPath }, reusePort: true });
    expect((await post()).status).toBe(201);
    const fresh = await startGateway({ listen: { unixPath }, reusePort: true });
    expect((await post()).status).toBe(201);
    expect([old.deliveries.length, fresh.deliveries.length]).toEqual([1, 1]);
    await old[Symbol.asyncDispose]();
    expect((await post()).status).toBe(201);
    await fresh[Symbol.asyncDispose]();
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("cannot be made in a folder that is not there", async () => {
    const listen = { unixPath: join(folder.path, "missing", "http.sock") };
    expect(await failureOf(startGateway({ listen }))).toBe(
      `Could not listen on "${listen.unixPath}", as [http] listen says: its folder does not exist.`,
    );
  });

  test("that a killed process left is replaced", async () => {
    const code = `Bun.serve({ unix: ${JSON.stringify(unixPath)}, fetch: () => new Response() }); console.log("up");`;
    const killed = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "ignore" });
    await killed.stdout.getReader().read();
    killed.kill("SIGKILL");
    await killed.exited;
    await using _gateway = await startGateway({ listen: { unixPath } });
    expect((await post()).status).toBe(201);
    expect(await modeOf()).toBe("660");
  });

  test.each([false, true])("is not made of a file that is none (reuse_port: %p)", async (reusePort) => {
    await writeFile(unixPath, "precious");
    expect(await failureOf(startGateway({ listen: { unixPath }, reusePort }))).toContain("which is not a socket");
    expect(await Bun.file(unixPath).text()).toBe("precious");
  });

  test("in a folder that does not exist is refused", async () => {
    const listen = { unixPath: join(unixPath, "none", "http.sock") };
    expect(await failureOf(startGateway({ listen }))).toBe(
      `Could not listen on "${listen.unixPath}", as [http] listen says: its folder does not exist.`,
    );
  });

  test("is gone after a stop, and a folder that became read-only does not matter", async () => {
    const gateway = await startGateway({ listen: { unixPath } });
    await gateway[Symbol.asyncDispose]();
    expect(await readdir(folder.path)).toEqual([]);
    const again = await startGateway({ listen: { unixPath } });
    await chmod(folder.path, 0o500);
    await again[Symbol.asyncDispose]();
    await chmod(folder.path, 0o700);
  });
});

const request = `POST /msg/bob HTTP/1.1\r\nHost: gw\r\nAuthorization: ${alice}\r\nContent-Length: 2\r\n\r\nhi`;

async function open({ hostname, port }: { hostname: string; port: number }): Promise<Socket> {
  const socket = connect(port, hostname);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

/** All that comes until the connection is closed. */
async function answerOn(socket: Socket): Promise<string> {
  let received = "";
  for await (const data of socket) received += data;
  return received;
}

/** Over a connection of its own. */
async function postOnce(gateway: Gateway): Promise<number> {
  const response = await fetch(`${gateway.origin}/msg/bob`, {
    method: "POST",
    body: "hi",
    keepalive: false,
    headers: { Authorization: alice, Connection: "close" },
  });
  return response.status;
}
