/** An address that a test is sure of. */

import { type Jid, parseJid } from "../../src/jid.ts";

export function jid(text: string): Jid {
  const result = parseJid(text);
  if ("jid" in result) return result.jid;
  throw new Error(`"${text}" is not an XMPP address: ${result.problem}`);
}
