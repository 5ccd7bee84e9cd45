/** New processes and new certificates under steady load, in front of a real server: no request fails. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Authority, makeAuthority } from "../support/ca.ts";
import { findFreePort } from "../support/free-port.ts";
import { type Binary, type BinaryOptions, startBinary } from "../support/gateway.ts";
import { type Prosody, startProsody } from "../support/prosody.ts";
import { hostsOf, startBob, startTimeoutMs } from "../support/real-servers.ts";
import type { Receiver } from "../support/receiver.ts";
import { allowed, sized } from "../support/soak.ts";
import { startLoad } from "../support/steady-load.ts";
import { makeTempFolder } from "../support/temp-folder.ts";
import { eventually } from "../support/wait.ts";

const perSecond = sized(200, 100);
const rounds = sized(20, 4);
/** Requests between two rounds. */
const between = sized(100, 30);
const timeoutMs = allowed(300_000, 60_000);

let server: Prosody;
let bob: Receiver;
beforeAll(async () => {
  server = await startProsody({ accounts: { "alice@example.com": "secret", "bob@example.com": "secret" } });
  // For somebody who is away, Prosody keeps 10,000 messages and refuses the next.
  bob = await startBob(server);
}, startTimeoutMs);
afterAll(async () => {
  await bob?.close();
  await server?.stop();
}, startTimeoutMs);

function start(http: NonNullable<BinaryOptions["settings"]>[string]): Promise<Binary> {
  return startBinary({ hosts: hostsOf(server), settings: { http } });
}

/** Waits until so many more requests were sent. */
function more(load: { readonly sent: number }, count: number): Promise<true> {
  const until = load.sent + count;
  return eventually(() => load.sent >= until, 30_000, "requests to be sent");
}

test(
  `${rounds} restarts at ${perSecond} requests a second: a new process takes over, the old one is told to stop`,
  async () => {
    const http = { listen: `127.0.0.1:${await findFreePort()}`, reuse_port: true };
    let gateway = await start(http);
    const load = startLoad({ port: gateway.port, perSecond });
    try {
      for (let round = 0; round < rounds; round++) {
        await more(load, between);
        const old = gateway;
        gateway = await start(http);
        await old.stop();
      }
      await more(load, between);
    } finally {
      const { sent, failures } = await load.stop();
      await gateway.stop();
      process.stdout.write(`${rounds} restarts: ${sent} requests, ${failures.length} failed\n`);
      expect(failures).toEqual([]);
    }
  },
  timeoutMs,
);

test(
  `${rounds} certificates at ${perSecond} requests a second: each is shown after SIGHUP`,
  async () => {
    const folder = await makeTempFolder();
    const authority = await makeAuthority();
    const http = {
      listen: `127.0.0.1:${await findFreePort()}`,
      tls_cert: join(folder.path, "cert.pem"),
      tls_key: join(folder.path, "key.pem"),
    };
    const renew = async (name: string) => {
      const issued = await authority.issue({ dnsNames: [name], ipAddresses: ["127.0.0.1"] });
      await folder.write("cert.pem", issued.certificatePem);
      await folder.write("key.pem", issued.keyPem);
    };
    await renew("first.example");
    const gateway = await start(http);
    const load = startLoad({ port: gateway.port, perSecond, ca: authority.certificatePem });
    try {
      for (let round = 0; round < rounds; round++) {
        await more(load, between);
        const name = `round${round}.example`;
        await renew(name);
        await gateway.reload({ hosts: hostsOf(server), settings: { http } });
        expect(await nameShown(gateway.port, authority)).toBe(`DNS:${name}`);
      }
      await more(load, between);
    } finally {
      const { sent, failures } = await load.stop();
      await gateway.stop();
      await folder.remove();
      process.stdout.write(`${rounds} certificates: ${sent} requests, ${failures.length} failed\n`);
      expect(failures).toEqual([]);
    }
  },
  timeoutMs,
);

test(
  "a socket that a killed process left is taken by the next one, with its mode",
  async () => {
    const folder = await makeTempFolder();
    const unix = join(folder.path, "http.sock");
    const options = {
      unix,
      method: "POST",
      body: "hi",
      headers: { Authorization: `Basic ${btoa("alice@example.com:secret")}` },
    };
    try {
      for (let round = 0; round < 3; round++) {
        const gateway = await start({ listen: `unix:${unix}`, socket_mode: "0600" });
        expect((await fetch("http://gw/msg/bob", options)).status).toBe(201);
        expect(((await Bun.file(unix).stat()).mode & 0o777).toString(8)).toBe("600");
        await gateway.kill();
      }
    } finally {
      await folder.remove();
    }
  },
  timeoutMs,
);

async function nameShown(port: number, authority: Authority): Promise<string | undefined> {
  const { connect } = await import("node:tls");
  const socket = connect({ port, host: "127.0.0.1", ca: authority.certificatePem });
  try {
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    return socket.getPeerCertificate().subjectaltname?.split(",")[0];
  } finally {
    socket.destroy();
  }
}
