/** The way of one request, in the order in which it is judged; the first thing wrong is the answer. */

import { Failure } from "../errors.ts";
import type { Receipt } from "../message.ts";
import type { Trail } from "./answer.ts";
import { readCredentials, refuseForeignHost } from "./auth.ts";
import { readBody } from "./body.ts";
import { refuseCrossSite } from "./cross-site.ts";
import { makeMessage, refuseForeignSender, withType } from "./fields.ts";
import type { Place } from "./in-flight.ts";
import type { HttpOptions } from "./options.ts";
import type { Parser } from "./parse.ts";
import { type Preferences, readPreferences } from "./prefer.ts";
import { findRecipient } from "./recipient.ts";

/** What tells one family of paths from another; the way is the same. */
export interface Endpoint {
  /** What the path says of the message, not judged yet. */
  readPath(url: string): { readonly to: string | undefined; readonly type?: string };
  chooseParser(headers: Headers): Parser;
  writeReceipt(receipt: Receipt, preferences: Preferences): Response;
}

/** What belongs to one request, beside itself. */
export interface Visit {
  readonly clientAddress: string;
  readonly trail: Trail;
  readonly place: Place;
}

export async function sendMessage(
  request: Request,
  { clientAddress, trail, place }: Visit,
  options: HttpOptions,
  endpoint: Endpoint,
): Promise<Response> {
  const { url, headers, signal } = request;
  const { requestId, times } = trail;
  trail.client = clientAddress;

  const named = endpoint.readPath(url);
  refuseCrossSite(headers, options.allowedOrigins);
  const credentials = readCredentials(headers, options);
  const sender = credentials.account;
  trail.sender = sender;
  refuseForeignHost(sender, options);
  options.admit(credentials, clientAddress);

  const parse = endpoint.chooseParser(headers);
  const body = await place.whileArriving((arrival) => readBody(request, options.maxBodyBytes, { arrival }));
  const parsed = await parse(body);
  const fields = named.type === undefined ? parsed.fields : withType(parsed.fields, named.type);
  refuseForeignSender(fields.from, sender);
  const to = findRecipient(named.to, fields.to, sender, options.allowedHosts);
  trail.recipient = to;
  const preferences = readPreferences(headers, options.waitMaxMs);
  const requestReceipt = parsed.requestReceipt === true || preferences.waitSeconds > 0;
  const message = { ...makeMessage(fields, to, options.forbiddenCharacters, parsed.elements), requestReceipt };
  if (!options.mayReceive(sender, to)) throw recipientNotAllowed(sender.domain, to.bare);

  trail.messageId = message.id;
  const waitMs = preferences.waitSeconds * 1000;
  const receipt = await options.deliver({ credentials, message, clientAddress, waitMs, signal, requestId, times });
  return endpoint.writeReceipt(receipt, preferences);
}

function recipientNotAllowed(host: string, recipient: string): Failure {
  return new Failure(
    "recipient_not_allowed",
    `Users of "${host}" may not send to "${recipient}" through this gateway.`,
  );
}
