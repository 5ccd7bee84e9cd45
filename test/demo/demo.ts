/**
 * The way of one message, shown with the real parts: a throw-away Prosody, ./post-msg as it was built, curl, and the
 * client that receives. With KEEP=1 all of it stays until Ctrl-C. Whatever happens, everything that was started is
 * stopped, the last one first.
 */

import { join } from "node:path";
import { type ChildProcess, startChild } from "../support/child-process.ts";
import { canListen, findFreePort } from "../support/free-port.ts";
import { type Prosody, startProsody } from "../support/prosody.ts";
import { type ReceivedMessage, type Receiver, startReceiver } from "../support/receiver.ts";
import { makeTempFolder, type TempFolder } from "../support/temp-folder.ts";
import { type CurlReply, runCurl, shellLine } from "./curl.ts";
import { say, show, step } from "./screen.ts";

const sender = "alice@example.com";
const recipient = "bob@example.com";
const password = "secret";
const text = "Server@host has just crashed!";
const usualPort = 5280;
const readyDeadlineMs = 10_000;
const arrivalDeadlineMs = 5_000;
/** Without KEEP; it takes a few seconds. */
const demoDeadlineMs = 50_000;
/** The longest that a timer can wait. */
const foreverMs = 2 ** 31 - 1;

const keep = !["", "0"].includes(process.env["KEEP"] ?? "");
const ending = Promise.withResolvers<never>();
let endReason: Error | undefined;
process.exit(await main());

async function main(): Promise<number> {
  process.on("SIGINT", () => end("It was interrupted."));
  process.on("SIGTERM", () => end("It was interrupted."));
  // At times nobody waits for it.
  ending.promise.catch(() => {});
  if (!keep) setTimeout(() => end(`It was not done after ${demoDeadlineMs / 1000} s.`), demoDeadlineMs);
  try {
    await using started = new AsyncDisposableStack();
    await demo(started);
  } catch (error) {
    say(`\nThe demo failed. ${rootMessage(error)}`);
    return 1;
  }
  say("\nEverything is stopped again.");
  return 0;
}

async function demo(started: AsyncDisposableStack): Promise<void> {
  const folder = started.adopt(await makeTempFolder("post-msg-demo-"), (it) => it.remove());

  step("An XMPP server with two accounts");
  const accounts = { [sender]: password, [recipient]: password };
  const prosody = started.adopt(await startProsody({ accounts }), (it) => it.stop());
  throwIfEnded();
  say(`Prosody has ${sender} and ${recipient}, on ${prosody.host}:${prosody.c2sPort}.`);
  const login = { port: prosody.c2sPort, ca: prosody.authority.certificatePem, jid: recipient, password };
  const bob = started.adopt(await startReceiver(login), (it) => it.close());
  throwIfEnded();
  say("Bob's client is online.");

  step("A configuration");
  const port = (await canListen(usualPort)) ? usualPort : await findFreePort();
  const file = await writeConfig(folder, prosody, port);

  step("The gateway");
  const command = ["./post-msg", "serve", "--config", file];
  show(`$ ${shellLine(command)}`);
  const gateway = started.adopt(startChild(command, { cwd: join(import.meta.dir, "../..") }), stopGateway);
  await unlessEnded(gateway.says(/ listens on .*\n/, readyDeadlineMs));
  show(/^.* listens on .*$/m.exec(gateway.output())?.[0] ?? "");

  step("A message");
  const url = `http://127.0.0.1:${port}/msg/${recipient}`;
  const curl = ["curl", url, "-u", `${sender}:${password}`, "-H", "Content-Type: text/plain", "-d", text];
  show(`$ ${shellLine(curl)}`);
  const reply = await unlessEnded(runCurl(curl, folder));
  show(`${reply.statusLine}\n${reply.body}`);
  if (!reply.statusLine.includes(" 201")) throw unexpected("curl did not get a 201", gateway);

  step("What bob's client received");
  const message = await unlessEnded(bob.nextMessage(arrivalDeadlineMs));
  showStanza(message);
  if (!isThat(message, reply)) throw unexpected("bob received something other than what alice sent", gateway);

  if (keep) await showMessages(bob, gateway, curl);
}

async function writeConfig(folder: TempFolder, prosody: Prosody, port: number): Promise<string> {
  if (port !== usualPort) say(`Port ${usualPort} is taken on this machine, so the gateway gets ${port}.\n`);
  const config = `[http]
listen = "127.0.0.1:${port}"

[hosts."example.com"]
connect = "xmpp://${prosody.host}:${prosody.c2sPort}"
ca_file = "${prosody.caFile}"
`;
  const file = await folder.write("post-msg.toml", config);
  show(`$ cat ${file}\n${config}`);
  return file;
}

/** The stanza as it came, with a line for each of its children. */
function showStanza({ raw, element }: ReceivedMessage): void {
  let lines = raw;
  for (const child of element.children)
    if (typeof child !== "string") lines = lines.replace(child.raw, () => `\n  ${child.raw}`);
  show(lines.replace(/<\/message>$/, "\n</message>"));
}

function isThat(message: ReceivedMessage, reply: CurlReply): boolean {
  const { id }: { id?: unknown } = JSON.parse(reply.body);
  return message.body === text && message.id === id && message.from.startsWith(`${sender}/`);
}

/** KEEP=1: until Ctrl-C. */
async function showMessages(bob: Receiver, gateway: ChildProcess, curl: readonly string[]): Promise<void> {
  step("Your turn");
  say("All of it stays until Ctrl-C. Type this in another terminal; what bob receives appears here.\n");
  show(`$ ${shellLine(curl)}`);
  const gone = Promise.race([
    gateway.exited.then(() => "The gateway has ended."),
    bob.closed.then(() => "Prosody has ended."),
  ]);
  while (endReason === undefined) {
    const message = await Promise.race([bob.nextMessage(foreverMs), gone, ending.promise.catch(() => "")]);
    if (endReason !== undefined) return;
    if (typeof message === "string") throw unexpected(message, gateway);
    say("");
    showStanza(message);
  }
}

async function stopGateway(gateway: ChildProcess): Promise<void> {
  await gateway.terminate();
  const code = await gateway.exited;
  if (code !== 0 && endReason === undefined) throw unexpected(`the gateway ended with ${code}`, gateway);
}

function unexpected(what: string, gateway: ChildProcess): Error {
  return new Error(`${what}. The gateway said:\n\n${gateway.output().slice(-2000)}`);
}

/** Where stopping failed too, of what came first. */
function rootMessage(error: unknown): string {
  if (error instanceof SuppressedError) return rootMessage(error.suppressed);
  return error instanceof Error ? error.message : String(error);
}

function end(reason: string): void {
  endReason ??= new Error(reason);
  ending.reject(endReason);
}

function throwIfEnded(): void {
  if (endReason !== undefined) throw endReason;
}

function unlessEnded<T>(wait: Promise<T>): Promise<T> {
  return Promise.race([wait, ending.promise]);
}
