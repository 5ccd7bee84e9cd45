/** `post-msg health`, as a container runtime runs it beside `post-msg serve`. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { health } from "../../src/cli/health.ts";
import { makeWritingProcess } from "../support/fake-process.ts";
import { findFreePort } from "../support/free-port.ts";
import { startGateway } from "../support/http-gateway.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";

let folder: TempFolder;
beforeAll(async () => {
  folder = await makeTempFolder();
});
afterAll(() => folder.remove());

async function run(listen: string, what: "live" | "ready" = "ready") {
  const { process, written } = makeWritingProcess();
  const file = await folder.write("post-msg.toml", `[hosts."example.com"]\n[http]\nlisten = "${listen}"\n`);
  return { code: await health(file, what, process), ...written };
}

test.each(["ready", "live"] as const)("says that a gateway is %s, and ends with 0", async (what) => {
  await using gateway = await startGateway();
  expect(await run(`127.0.0.1:${gateway.port}`, what)).toEqual({ code: 0, output: `${what}\n`, errors: "" });
});

test("asks on loopback who listens on all addresses, and on a Unix socket", async () => {
  await using everywhere = await startGateway({ listen: { hostname: "0.0.0.0", port: 0 } });
  expect((await run(`0.0.0.0:${everywhere.port}`)).code).toBe(0);
  await using all = await startGateway({ listen: { hostname: "::", port: 0 } });
  expect((await run(`[::]:${all.port}`)).code).toBe(0);
  const unixPath = `${folder.path}/http.sock`;
  await using _socket = await startGateway({ listen: { unixPath } });
  expect((await run(`unix:${unixPath}`)).code).toBe(0);
});

test("ends with 1 while the gateway stops, but for --live", async () => {
  const gateway = await startGateway({ reusePort: true });
  const stopped = gateway[Symbol.asyncDispose]();
  const listen = `127.0.0.1:${gateway.port}`;
  expect(await run(listen)).toEqual({
    code: 1,
    output: "",
    errors: `post-msg: not ready: http://${listen} answers 503\n`,
  });
  expect((await run(listen, "live")).code).toBe(0);
  await stopped;
});

test("ends with 1 where nobody listens, and says where it asked", async () => {
  const listen = `127.0.0.1:${await findFreePort()}`;
  const { code, output, errors } = await run(listen);
  expect([code, output]).toEqual([1, ""]);
  expect(errors).toStartWith(`post-msg: not ready: http://${listen} does not answer (nobody listens there)`);
  const socket = `${folder.path}/none.sock`;
  expect((await run(`unix:${socket}`)).errors).toBe(
    `post-msg: not ready: ${socket} does not answer (there is no such socket)\n`,
  );
});

test("ends with 2 where the configuration does not say where to ask, or is not good", async () => {
  const { code, errors } = await run("127.0.0.1:0");
  expect(code).toBe(2);
  expect(errors).toContain("[http] listen needs a port");
  expect((await run("nowhere")).code).toBe(2);
});
