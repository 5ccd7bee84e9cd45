/**
 * The message part of mod_rest, so that what was written for it goes on working: `/rest`, `/rest/message/{type}` and
 * `/rest/message/{type}/{to}`.
 */

import { Failure } from "../../errors.ts";
import { kindNotOffered } from "../check-fields.ts";
import { chooseParser } from "../parse.ts";
import { describeApplied } from "../prefer.ts";
import { quote } from "../quote.ts";
import { decodePath, splitRecipients } from "../recipient.ts";
import type { Endpoint } from "../send-message.ts";
import { parseStanza } from "./stanza.ts";

export const restPath = "/rest";

export const restEndpoint: Endpoint = {
  readPath,
  chooseParser: (headers) => chooseParser(headers, parseStanza),
  taken: 202,
  // mod_rest's answer: the server has taken it, and there is nothing to say.
  writeReceipt: (_, preferences) => {
    const applied = describeApplied(preferences);
    return new Response(null, { status: 202, headers: applied === undefined ? {} : { "Preference-Applied": applied } });
  },
};

function readPath(url: string): { readonly to: readonly string[]; readonly type?: string } {
  const { pathname } = new URL(url);
  const [kind = "", type = "", ...to] = pathname.slice(restPath.length + 1).split("/");
  if (pathname === restPath || pathname === `${restPath}/`) return { to: [] };
  if (kind === "presence" || kind === "iq") throw kindNotOffered(kind);
  if (kind !== "message" || type === "") throw noSuchPath(pathname);
  return { to: splitRecipients(to.join("/")), type: decodePath(type) };
}

function noSuchPath(pathname: string): Failure {
  const detail = `There is nothing at ${quote(pathname)}; messages are posted to "/rest" or "/rest/message/{type}/{to}".`;
  return new Failure("no_such_path", detail);
}
