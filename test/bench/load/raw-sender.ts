/**
 * The raw XMPP client, the ceiling for any gateway on this server: no HTTP, no library, XEP-0198. It keeps so many
 * messages unacknowledged and sends the next as soon as the server acknowledges. A program of its own:
 * `raw-sender.ts '{"port", "caFile", "jid", "outstanding", "seconds", "serverPid"}'` prints what it has measured as JSON.
 */

import { cpuMs } from "../../support/process-figures.ts";
import { spreadOf } from "../statistics.ts";
import { openRawStream } from "./raw-stream.ts";

const warmUpMs = 500;
/** How many requests for an acknowledgement are on their way behind the messages, so that the server never waits. */
const requestsUnderWay = 4;
const namespace = "urn:xmpp:sm:3";
const body = "Server@host has just crashed!";

interface Batch {
  readonly count: number;
  readonly sentMs: number;
}

const { port, caFile, jid, outstanding, seconds, serverPid } = JSON.parse(process.argv[2] ?? "{}");
const stream = await openRawStream({ port, caPem: await Bun.file(caFile).text(), jid, password: "secret" });
await stream.ask(`<enable xmlns='${namespace}'/>`, /<enabled/);

const perRequest = Math.max(1, Math.ceil(outstanding / requestsUnderWay));
const unacknowledged: Batch[] = [];
const timesMs: number[] = [];
const begunMs = performance.now() + warmUpMs;
const endMs = begunMs + seconds * 1_000;
let sent = 0;
let acknowledged = 0;
const cpuAtBegin = Bun.sleep(warmUpMs).then(readCpu);
const cpuAtEnd = Bun.sleep(warmUpMs + seconds * 1_000).then(readCpu);
const done = Promise.withResolvers<void>();

stream.listen((text) => {
  const handled = Number(/ h=["'](\d+)["'][^h]*$/.exec(text)?.[1] ?? acknowledged);
  take(handled - acknowledged);
  acknowledged = handled;
  if (performance.now() < endMs) fill();
  else if (acknowledged === sent) done.resolve();
});
fill();
await done.promise;
await stream.close();
const { p50, p99 } = spreadOf(timesMs);
const [begin, end] = await Promise.all([cpuAtBegin, cpuAtEnd]);
const result = {
  sent,
  perSecond: timesMs.length / seconds,
  p50Ms: p50,
  p99Ms: p99,
  ownCores: (end.own - begin.own) / 1_000 / seconds,
  serverCores: (end.server - begin.server) / 1_000 / seconds,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

async function readCpu(): Promise<{ own: number; server: number }> {
  return { own: await cpuMs("self"), server: await cpuMs(serverPid) };
}

function take(count: number): void {
  const nowMs = performance.now();
  let left = count;
  while (left > 0) {
    const batch = unacknowledged.shift();
    if (batch === undefined) throw new Error("More was acknowledged than was sent.");
    const covered = Math.min(left, batch.count);
    if (covered < batch.count) unacknowledged.unshift({ ...batch, count: batch.count - covered });
    left -= covered;
    if (nowMs < begunMs || nowMs > endMs) continue;
    for (let each = 0; each < covered; each++) timesMs.push(nowMs - batch.sentMs);
  }
}

/** One write for all that may be sent now, with a request behind each part of it. */
function fill(): void {
  let text = "";
  const sentMs = performance.now();
  while (sent - acknowledged < outstanding) {
    const count = Math.min(perRequest, outstanding - (sent - acknowledged));
    for (let each = 0; each < count; each++) text += message();
    text += `<r xmlns='${namespace}'/>`;
    unacknowledged.push({ count, sentMs });
    sent += count;
  }
  if (text !== "") stream.send(text);
}

/** As post-msg writes it. */
function message(): string {
  const id = crypto.randomUUID();
  return `<message to="bob@example.com" type="chat" id="${id}"><body>${body}</body><origin-id xmlns="urn:xmpp:sid:0" id="${id}"/></message>`;
}
