/** The way of one request, in the order in which it is judged; the first thing wrong is the answer. */

import { asFailure, Failure } from "../errors.ts";
import type { Message, Receipt } from "../message.ts";
import type { Times } from "../request-log.ts";
import type { Trail } from "./answer.ts";
import { readCredentials, refuseForeignHost } from "./auth.ts";
import { readBody } from "./body.ts";
import { refuseCrossSite } from "./cross-site.ts";
import { makeMessage, refuseForeignSender, withType } from "./fields.ts";
import type { InFlight } from "./in-flight.ts";
import type { HttpOptions } from "./options.ts";
import type { Parser } from "./parse.ts";
import { type Preferences, readPreferences } from "./prefer.ts";
import { findRecipients, type Recipient } from "./recipient.ts";
import { findFailures, gravest, listCopies, type Outcome, writeResults } from "./results.ts";

/** What tells one family of paths from another; the way is the same. */
export interface Endpoint {
  /** What the path says of the message, not judged yet. */
  readPath(url: string): { readonly to: readonly string[]; readonly type?: string };
  chooseParser(headers: Headers): Parser;
  /** The status of what was taken. */
  readonly taken: 201 | 202;
  writeReceipt(receipt: Receipt, preferences: Preferences): Response;
}

/** What belongs to one request, beside itself. */
export interface Visit {
  readonly clientAddress: string;
  readonly trail: Trail;
  readonly inFlight: InFlight;
}

/** Rejects with a Failure: `overloaded`, before anything else, where too many requests are being served. */
export async function sendMessage(
  request: Request,
  { clientAddress, trail, inFlight }: Visit,
  options: HttpOptions,
  endpoint: Endpoint,
): Promise<Response> {
  inFlight.enter(options.maxInFlight);
  try {
    const { url, headers } = request;
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
    const body = await readBody(request, options.maxBodyBytes, inFlight);
    const read = parse(body);
    const parsed = read instanceof Promise ? await read : read;
    const fields = withType(parsed.fields, named.type, parsed.defaultType);
    refuseForeignSender(fields.from, sender);
    const recipients = findRecipients(named.to, fields.to, sender, options);
    const [first] = recipients.list;
    const to = first !== undefined && "jid" in first ? first.jid : sender;
    const preferences = readPreferences(headers, options.waitMaxMs);
    const waitMs = preferences.waitSeconds * 1000;
    const message = makeMessage(fields, to, options.forbiddenCharacters, {
      elements: parsed.elements,
      requestReceipt: parsed.requestReceipt === true || waitMs > 0,
      untyped: (named.type ?? parsed.fields.type) === undefined,
    });
    const send = (each: Message, eachTimes = times, isCopy = false) => {
      if (!options.mayReceive(sender, each.to)) throw recipientNotAllowed(sender.domain, each.to.bare);
      return options.deliver({
        credentials,
        message: each,
        clientAddress,
        waitMs,
        caller: request,
        requestId,
        times: eachTimes,
        isCopy,
      });
    };

    if (!recipients.several) {
      trail.messageId = message.id;
      trail.recipient = to;
      return endpoint.writeReceipt(await send(message), preferences);
    }
    const idOf = (index: number) => (fields.id === undefined ? crypto.randomUUID() : `${fields.id}-${index + 1}`);
    const outcomes = await sendToEach(recipients.list, message, idOf, send);
    trail.copies = listCopies(outcomes, endpoint.taken);
    const failures = findFailures(outcomes);
    if (failures.length > 0) trail.failure = gravest(failures);
    return writeResults(outcomes, preferences, requestId, endpoint.taken);
  } finally {
    inFlight.leave();
  }
}

/** At the same time. Each copy has an id of its own, since a refusal is told by it. */
function sendToEach(
  recipients: readonly Recipient[],
  message: Message,
  idOf: (index: number) => string,
  send: (message: Message, times: Times, isCopy: boolean) => Promise<Receipt>,
): Promise<Outcome[]> {
  const sent = recipients.map(async (recipient, index): Promise<Outcome> => {
    if ("failure" in recipient) return { to: recipient.named, failure: recipient.failure };
    const { jid } = recipient;
    const id = index === 0 ? message.id : idOf(index);
    const times: Times = {};
    const known = { to: jid.full, jid, times };
    try {
      return { ...known, receipt: await send({ ...message, to: jid, id }, times, index > 0) };
    } catch (error) {
      return { ...known, id, failure: asFailure(error) };
    }
  });
  return Promise.all(sent);
}

function recipientNotAllowed(host: string, recipient: string): Failure {
  return new Failure(
    "recipient_not_allowed",
    `Users of "${host}" may not send to "${recipient}" through this gateway; their host's recipients do not allow it.`,
  );
}
