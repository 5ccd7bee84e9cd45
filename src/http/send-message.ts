/** The way of one request, in the order in which it is judged; the first thing wrong is the answer. */

import { Failure } from "../errors.ts";
import type { Trail } from "./answer.ts";
import { readCredentials, refuseForeignHost } from "./auth.ts";
import { readBody } from "./body.ts";
import { refuseCrossSite } from "./cross-site.ts";
import { makeMessage, refuseForeignSender } from "./fields.ts";
import type { HttpOptions } from "./options.ts";
import { chooseParser } from "./parse.ts";
import { readPreferences } from "./prefer.ts";
import { findRecipient, recipientInPath } from "./recipient.ts";
import { writeReceipt } from "./reply.ts";

export async function sendMessage(
  request: Request,
  clientAddress: string,
  trail: Trail,
  options: HttpOptions,
): Promise<Response> {
  const { url, headers, signal } = request;
  const { requestId, times } = trail;
  trail.client = clientAddress;

  const named = recipientInPath(url, options.path);
  refuseCrossSite(headers, options.allowedOrigins);
  const credentials = readCredentials(headers, options);
  const sender = credentials.account;
  trail.sender = sender;
  refuseForeignHost(sender, options);
  options.admit(credentials, clientAddress);

  const parse = chooseParser(headers);
  const fields = await parse(await readBody(request, options.maxBodyBytes));
  refuseForeignSender(fields.from, sender);
  const to = findRecipient(named, fields.to, sender, options.allowedHosts);
  trail.recipient = to;
  const preferences = readPreferences(headers, options.waitMaxMs);
  const requestReceipt = preferences.waitSeconds > 0;
  const message = { ...makeMessage(fields, to, options.forbiddenCharacters), requestReceipt };
  if (!options.mayReceive(sender, to)) throw recipientNotAllowed(sender.domain, to.bare);

  trail.messageId = message.id;
  const waitMs = preferences.waitSeconds * 1000;
  const receipt = await options.deliver({ credentials, message, clientAddress, waitMs, signal, requestId, times });
  return writeReceipt(receipt, preferences);
}

function recipientNotAllowed(host: string, recipient: string): Failure {
  return new Failure(
    "recipient_not_allowed",
    `Users of "${host}" may not send to "${recipient}" through this gateway.`,
  );
}
