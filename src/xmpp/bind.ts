/** Resource binding (RFC 6120 section 7). */

import { randomBytes } from "node:crypto";
import type { Element } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import { type Jid, parseJid } from "../jid.ts";
import { stanzaFailure } from "./conditions.ts";
import { namespaces } from "./namespaces.ts";
import type { XmppStream } from "./stream.ts";

/** Returns the full JID that the server gave; it must be one of `account`'s. */
export async function bindResource(stream: XmppStream, account: Jid, signal: AbortSignal): Promise<Jid> {
  const resource = `post-msg/${randomBytes(6).toString("hex")}`;
  stream.push(`<iq type="set" id="bind"><bind xmlns="${namespaces.bind}"><resource>${resource}</resource></bind></iq>`);
  const reply = await stream.next(signal);
  if (!reply.is("iq") || reply.attrs["id"] !== "bind") throw stream.unexpected(reply, "the result of resource binding");
  if (reply.attrs["type"] === "error") throw bindFailure(reply, account);
  const bound = parseJid(reply.getChild("bind", namespaces.bind)?.getChildText("jid") ?? "");
  if ("jid" in bound && bound.jid.bare === account.bare && bound.jid.resource !== undefined) return bound.jid;
  throw new Failure(
    "protocol_error",
    `The XMPP server of "${account.domain}" bound another address than one of "${account.bare}".`,
  );
}

function bindFailure(reply: Element, account: Jid): Failure {
  const error = reply.getChild("error");
  const condition = error
    ?.getChildElements()
    .find((child) => child.getNS() === namespaces.stanzaErrors)
    ?.getName();
  const refused = stanzaFailure(condition ?? "undefined-condition", error?.attrs["type"], account.bare, undefined);
  const cause = new Error(`Binding refused: ${reply.toString().slice(0, 1000)}`);
  return refused.temporary || condition === "conflict"
    ? new Failure("server_busy", `The XMPP server of "${account.domain}" has no room for another session now.`, {
        cause,
      })
    : new Failure("login_failed", `The XMPP server of "${account.domain}" refused a session after the login.`, {
        cause,
      });
}
