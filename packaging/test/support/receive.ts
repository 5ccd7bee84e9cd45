/** `receive.ts PORT CA-FILE JID PASSWORD`: a client that says when it is online, and then every message, a line each. */

import { readFile } from "node:fs/promises";
import { startReceiver } from "../../../test/support/receiver.ts";

const [port = "", caFile = "", jid = "", password = ""] = process.argv.slice(2);
const receiver = await startReceiver({ port: Number(port), ca: await readFile(caFile, "utf8"), jid, password });
process.stdout.write("online\n");
for (;;) {
  const { from, body } = await receiver.nextMessage(2 ** 31 - 1);
  process.stdout.write(`${JSON.stringify({ from, body })}\n`);
}
