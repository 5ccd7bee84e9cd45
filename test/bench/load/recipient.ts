/** Who the messages are for: online, and counting what arrives. */

import type { RealServer } from "../../support/real-server.ts";
import { eventually } from "../../support/wait.ts";
import { openRawStream } from "./raw-stream.ts";

const arrivalDeadlineMs = 30_000;
const end = "</message>";

export interface Recipient {
  /** Resolves when at least so many messages have arrived since the last call; rejects when they do not come. */
  expect(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function logInRecipient(server: RealServer, jid: string): Promise<Recipient> {
  const caPem = server.authority.certificatePem;
  const stream = await openRawStream({ port: server.c2sPort, caPem, jid, password: "secret" });
  await stream.ask("<presence/>", /<presence/);
  let arrived = 0;
  let tail = "";
  stream.listen((text) => {
    const heard = tail + text;
    for (let at = heard.indexOf(end); at !== -1; at = heard.indexOf(end, at + end.length)) arrived += 1;
    // No more than could be the beginning of one more.
    tail = heard.slice(1 - end.length);
  });
  return {
    expect: async (count) => {
      await eventually(() => arrived >= count, arrivalDeadlineMs, `${count} messages at ${jid}; ${arrived} have come`);
      arrived = 0;
    },
    close: stream.close,
  };
}
