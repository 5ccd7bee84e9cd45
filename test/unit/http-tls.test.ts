/** HTTPS, and another certificate while requests are under way. */

import { beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import type { HttpOptions } from "../../src/http/options.ts";
import type { Receipt } from "../../src/message.ts";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { alice, type Gateway, startGateway } from "../support/http-gateway.ts";
import { makeTempFolder } from "../support/temp-folder.ts";

let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority();
});

async function issue(name: string): Promise<NonNullable<HttpOptions["tls"]>> {
  const { certificatePem, keyPem } = await authority.issue({ dnsNames: [name], ipAddresses: ["127.0.0.1"] });
  return { certificates: certificatePem, key: keyPem };
}

const receipt: Receipt = { id: "1", from: "alice@example.com", to: "bob@example.com", type: "chat" };

function post({ origin }: Gateway): Promise<Response> {
  return fetch(`${origin}/msg/bob`, {
    method: "POST",
    body: "hi",
    keepalive: false,
    headers: { Authorization: alice, Connection: "close" },
    tls: { ca: authority.certificatePem },
  });
}

/** A new connection, and the name in the certificate that it is shown. */
async function shake(port: number): Promise<{ readonly socket: TLSSocket; readonly name: string | undefined }> {
  const socket = connect({ port, host: "127.0.0.1", ca: authority.certificatePem });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return { socket, name: socket.getPeerCertificate().subjectaltname?.split(",")[0] };
}

async function nameShown(port: number): Promise<string | undefined> {
  const { socket, name } = await shake(port);
  socket.destroy();
  return name;
}

test("a message is taken over HTTPS, and plain HTTP is not", async () => {
  await using gateway = await startGateway({ tls: await issue("one.example") });
  expect(gateway.origin).toBe(`https://127.0.0.1:${gateway.port}`);
  expect((await post(gateway)).status).toBe(201);
  expect(fetch(`http://127.0.0.1:${gateway.port}/health/live`)).rejects.toThrow();
});

test("the port is refused to a second process, with or without TLS", async () => {
  const tls = await issue("one.example");
  await using gateway = await startGateway({ tls });
  const listen = { hostname: "127.0.0.1", port: gateway.port };
  expect(startGateway({ listen, tls })).rejects.toThrow("another process has that address");
  expect(startGateway({ listen })).rejects.toThrow("another process has that address");
});

test("a renewed certificate is shown to every new connection, and what is under way is finished", async () => {
  const [asked, verdict] = [Promise.withResolvers<void>(), Promise.withResolvers<Receipt>()];
  await using gateway = await startGateway({
    tls: await issue("one.example"),
    deliver: () => {
      asked.resolve();
      return verdict.promise;
    },
  });
  const { socket, name } = await shake(gateway.port);
  expect(name).toBe("DNS:one.example");
  const underWay = post(gateway);
  await asked.promise;
  await gateway.reload({ tls: await issue("two.example") });
  for (let i = 0; i < 20; i++) expect(await nameShown(gateway.port)).toBe("DNS:two.example");

  verdict.resolve(receipt);
  expect((await underWay).status).toBe(201);
  // One that had connected before, and sends only now, is served too.
  socket.write(`POST /msg/bob HTTP/1.1\r\nHost: gw\r\nAuthorization: ${alice}\r\nContent-Length: 2\r\n\r\nhi`);
  let received = "";
  for await (const data of socket) received += data;
  expect(received).toMatch(/^HTTP\/1\.1 201 [\s\S]*\r\nConnection: close\r\n/);
});

test("of certificates renewed one right after the other, every new connection is shown the last", async () => {
  await using gateway = await startGateway({ tls: await issue("zero.example") });
  for (const name of ["one.example", "two.example"]) await gateway.reload({ tls: await issue(name) });
  // Longer than a listener that was left stays.
  const untilMs = performance.now() + 1_500;
  while (performance.now() < untilMs) expect(await nameShown(gateway.port)).toBe("DNS:two.example");
});

test("the same certificate again, or one where there was none, changes nothing about the listener", async () => {
  const tls = await issue("one.example");
  await using secure = await startGateway({ tls });
  const { socket } = await shake(secure.port);
  await secure.reload({ tls: { ...tls } });
  await secure.reload({ tls: undefined });
  expect(await nameShown(secure.port)).toBe("DNS:one.example");
  socket.destroy();
  await using plain = await startGateway();
  await plain.reload({ tls });
  expect((await plain.post("/msg/bob", "hi")).status).toBe(201);
});

test("a certificate is renewed on a Unix socket too", async () => {
  const folder = await makeTempFolder();
  const unixPath = join(folder.path, "http.sock");
  const options = { method: "POST", body: "hi", headers: { Authorization: alice, Connection: "close" } };
  const statusFor = async (servername: string) => {
    const tls = { ca: authority.certificatePem };
    return (await fetch(`https://${servername}/msg/bob`, { ...options, unix: unixPath, tls })).status;
  };
  {
    await using gateway = await startGateway({ listen: { unixPath }, tls: await issue("one.example") });
    expect(await statusFor("one.example")).toBe(201);
    await gateway.reload({ tls: await issue("two.example") });
    expect(await statusFor("two.example")).toBe(201);
    expect(statusFor("one.example")).rejects.toThrow();
  }
  expect(await Array.fromAsync(new Bun.Glob("*").scan({ cwd: folder.path, dot: true, onlyFiles: false }))).toEqual([]);
  await folder.remove();
});

test("everything else that is said of HTTP takes effect with the next request", async () => {
  await using gateway = await startGateway({ maxBodyBytes: 100 });
  await gateway.reload({
    maxBodyBytes: 1,
    path: "/gateway",
    allowedHosts: ["example.org"],
    isAllowedHost: () => false,
  });
  expect((await gateway.post("/msg/bob", "hi")).status).toBe(404);
  expect((await gateway.post("/gateway/bob", "hi")).status).toBe(403);
});
