/** `post-msg check --connect` as a user runs it: the executable, in front of Prosody and ejabberd. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Step } from "../../src/findings.ts";
import { runDoctor } from "../support/doctor.ts";
import { startEjabberd } from "../support/ejabberd.ts";
import { writeConfig } from "../support/gateway-config.ts";
import { startProsody } from "../support/prosody.ts";
import type { RealServer } from "../support/real-server.ts";
import { hostsOf, logInReceiver, realServers, startTimeoutMs } from "../support/real-servers.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { eventually, within } from "../support/wait.ts";

const executable = join(import.meta.dir, "../../post-msg");
const deadlineMs = 20_000;
const accounts = { "alice@example.com": "secret", "bob@example.com": "secret" };
const allSteps: readonly Step[] = [
  ...(["name", "connection", "stream", "tls", "certificate", "mechanisms", "login", "acknowledgements"] as const),
  ...(["limits", "message"] as const),
];

interface Ended {
  readonly output: string;
  readonly errors: string;
  readonly code: number;
}

/** `input` is what standard input has to give. */
async function check(folder: TempFolder, args: readonly string[], input = ""): Promise<Ended> {
  const child = Bun.spawn([executable, "check", ...args], {
    cwd: folder.path,
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  try {
    const ended = Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    const [output, errors, code] = await within(deadlineMs, "the doctor to end", ended);
    return { output, errors, code };
  } finally {
    child.kill("SIGKILL");
  }
}

function makeScreen() {
  const chunks: Buffer[] = [];
  return {
    show: (_terminal: Bun.Terminal, bytes: Uint8Array) => void chunks.push(Buffer.from(bytes)),
    text: () => Buffer.concat(chunks).toString(),
  };
}

const loggingIn = ["--as", "alice@example.com", "--password-fd", "0"] as const;
const withJson = async (folder: TempFolder, args: readonly string[], input?: string) => {
  const { output, errors, code } = await check(folder, [...args, "--json"], input);
  expect(errors).toBe("");
  return { report: JSON.parse(output), code };
};

describe.each(realServers)("%s", (_, start) => {
  let server: RealServer;
  let folder: TempFolder;
  beforeAll(async () => {
    server = await start({ accounts });
    folder = await makeTempFolder("post-msg-doctor-");
    await writeConfig(folder, { hosts: hostsOf(server) });
  }, startTimeoutMs);
  afterAll(async () => {
    await server?.stop();
    await folder?.remove();
  });

  test("without a login, all that can be seen from outside is good, and the table says what is left", async () => {
    const { output, errors, code } = await check(folder, ["--connect"]);
    expect([errors, code]).toEqual(["", 0]);
    const lines = output.split("\n");
    expect(lines.slice(0, 3)).toEqual(["post-msg.toml is good: 1 host, listens on 127.0.0.1:0", "", "example.com"]);
    for (const step of allSteps.slice(0, 6)) expect(output).toMatch(new RegExp(`^ {2}ok {4}${step} .* ms {2}\\S`, "m"));
    expect(output).toMatch(/certificate .* for example\.com; valid until .* issuer CN=Test Authority$/m);
    expect(output).toMatch(/mechanisms .* SCRAM-SHA-\S+ would be used; offered: /);
    expect(output).toMatch(/^ {2}example\.com is good \(\d+ ms\)\.$/m);
    expect(output).toEndWith(
      `No login was tried. "post-msg check --as USER@example.com" logs in and sends a message to itself.\n`,
    );
    // No colour: it is no terminal.
    expect(output).not.toContain("\x1b");
  });

  test("with an account, a message comes back, and no other client of the account sees it", async () => {
    const phone = await logInReceiver(server, "alice@example.com");
    try {
      const { output, errors, code } = await check(folder, loggingIn, "secret\n");
      expect([errors, code]).toEqual(["", 0]);
      expect(output).toMatch(/ok {4}login .* logged in by SCRAM-/);
      expect(output).toMatch(/ok {4}acknowledgements .*XEP-0198/);
      expect(output).toMatch(
        /ok {4}message .* a message to alice@example\.com\/post-msg\/\w+ was acknowledged and came back/,
      );
      const bob = await logInReceiver(server, "bob@example.com");
      bob.send(`<message to="alice@example.com" type="chat"><body>a mark</body></message>`);
      expect((await phone.nextMessage()).body).toBe("a mark");
      await bob.close();
    } finally {
      await phone.close();
    }
  });

  test("told of step by step, as they are done", async () => {
    const examined = await runDoctor({
      domain: "example.com",
      host: hostsOf(server)["example.com"] ?? {},
      as: "alice@example.com",
    });
    expect(examined.state).toBe("good");
    expect(examined.steps.map(({ step }) => step).sort()).toEqual([...allSteps].sort());
    expect(examined.step("message").summary).toContain("came back");
  });

  test("as JSON, with every step, its time and its facts", async () => {
    const { report, code } = await withJson(folder, loggingIn, "secret");
    expect(code).toBe(0);
    expect(report).toMatchObject({ version: 1, state: "good", file: "post-msg.toml", problems: [], warnings: [] });
    const [host] = report.hosts;
    expect(host).toMatchObject({ domain: "example.com", state: "good", ms: expect.any(Number) });
    expect(host.steps.map(({ step }: { step: Step }) => step).sort()).toEqual([...allSteps].sort());
    for (const step of host.steps) {
      expect(step).toMatchObject({ state: "good", ms: expect.any(Number), summary: expect.any(String) });
      expect(step.facts.step).toBe(step.step);
    }
    expect(host.steps.find(({ step }: { step: Step }) => step === "certificate").facts).toMatchObject({
      names: ["example.com"],
      issuer: "CN=Test Authority",
      validTo: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  test("with a wrong password it says so and ends with 1, and neither output has the password", async () => {
    const { output, errors, code } = await check(folder, loggingIn, "wr0ng-passw0rd\n");
    expect([errors, code]).toEqual(["", 1]);
    expect(output).toMatch(
      /FAIL {2}login .* this account and password were not accepted\.\n +code credentials_rejected/,
    );
    expect(output).toContain("prosodyctl passwd alice@example.com");
    expect(output).toContain(`example.com cannot be used: mend the step "login"`);
    expect(output).not.toContain("wr0ng");
  });

  test("asks for the password on a terminal, without echo, in colour unless NO_COLOR is set", async () => {
    for (const [name, env, colour] of [
      ["colour", { NO_COLOR: undefined, TERM: "xterm" }, true],
      ["no colour", { NO_COLOR: "1", TERM: "xterm" }, false],
    ] as const) {
      const screen = makeScreen();
      const child = Bun.spawn([executable, "check", "--as", "alice@example.com"], {
        cwd: folder.path,
        env: { ...process.env, ...env },
        terminal: { cols: 90, rows: 40, data: screen.show },
      });
      try {
        await eventually(() => screen.text().includes("Password of alice@example.com: "), deadlineMs, "the question");
        // A typing error, mended; and the whole begun anew.
        child.terminal?.write("xy\x7f\x15secreTT\x7f\x7ft\r");
        expect(await within(deadlineMs, "the doctor to end", child.exited)).toBe(0);
        await eventually(() => screen.text().includes("example.com is good"), deadlineMs, "the verdict");
        expect(screen.text(), name).not.toContain("secre");
        expect(screen.text().includes("\x1b[32mok"), name).toBe(colour);
        // Lines are broken where the screen ends.
        for (const line of Bun.stripANSI(screen.text()).split("\r\n")) expect(line.length).toBeLessThanOrEqual(90);
      } finally {
        child.kill("SIGKILL");
        child.terminal?.close();
      }
    }
  });

  test("Ctrl-C at the question ends it", async () => {
    const screen = makeScreen();
    const child = Bun.spawn([executable, "check", "--as", "alice@example.com"], {
      cwd: folder.path,
      terminal: { data: screen.show },
    });
    try {
      await eventually(() => screen.text().includes("Password of "), deadlineMs, "the question");
      child.terminal?.write("sec\x03");
      expect(await within(deadlineMs, "the doctor to end", child.exited)).toBe(2);
    } finally {
      child.kill("SIGKILL");
      child.terminal?.close();
    }
  });
});

test(
  "a ban by ejabberd's mod_fail2ban is told from everything else, with the server's own words",
  async () => {
    const server = await startEjabberd({ accounts, modules: { mod_fail2ban: { c2s_max_auth_failures: 2 } } });
    const folder = await makeTempFolder("post-msg-doctor-");
    try {
      await writeConfig(folder, { hosts: hostsOf(server) });
      expect((await withJson(folder, loggingIn, "wrong")).code).toBe(1);
      expect((await withJson(folder, loggingIn, "wrong")).code).toBe(1);
      const { report, code } = await withJson(folder, loggingIn, "secret");
      expect(code).toBe(1);
      expect(report.hosts[0].steps.at(-1)).toMatchObject({
        state: "failed",
        code: "server_policy",
        said: expect.stringMatching(/Too many \(2\) failed authentications/),
        remedy: expect.stringMatching(/unban_ip 127\.0\.0\.1/),
      });
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
  startTimeoutMs,
);

test(
  "a server without XEP-0198 is warned of, and messages come through all the same",
  async () => {
    const server = await startProsody({ accounts, extraConfig: `modules_disabled = { "s2s"; "smacks" }` });
    const folder = await makeTempFolder("post-msg-doctor-");
    try {
      await writeConfig(folder, { hosts: hostsOf(server) });
      const { report, code } = await withJson(folder, loggingIn, "secret");
      expect([code, report.state]).toEqual([0, "warning"]);
      const step = (name: Step) => report.hosts[0].steps.find((each: { step: Step }) => each.step === name);
      expect(step("acknowledgements")).toMatchObject({
        state: "warning",
        summary: expect.stringMatching(/no XEP-0198/),
        remedy: expect.stringMatching(/"smacks" in Prosody, mod_stream_mgmt in ejabberd/),
      });
      expect(step("message").state).toBe("good");
      const again = await runDoctor({
        domain: "example.com",
        host: hostsOf(server)["example.com"] ?? {},
        as: "alice@example.com",
      });
      expect(again.step("acknowledgements").state).toBe("warning");
      expect(again.step("message").state).toBe("good");
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
  startTimeoutMs,
);
