/**
 * The way of a login, for somebody who watches: by the very steps that a login goes (secure.ts, log-in.ts, bind.ts,
 * stream-management.ts), up to a message that the account sends to itself.
 */

import { randomUUID } from "node:crypto";
import type { Element } from "@xmpp/xml";
import { escapeXML } from "@xmpp/xml";
import { Failure } from "../errors.ts";
import type { Examine, Finding, Query, Watch } from "../findings.ts";
import type { Jid } from "../jid.ts";
import type { Credentials } from "../message.ts";
import { readOffer } from "./authenticate.ts";
import { bindResource } from "./bind.ts";
import { lookAtCertificate } from "./certificate-look.ts";
import { stanzaFailure } from "./conditions.ts";
import { step, withTimeLimit } from "./deadline.ts";
import { pingRequest } from "./iq.ts";
import { readStanzaLimit } from "./limits.ts";
import { logIn, saslContext } from "./log-in.ts";
import { namespaces } from "./namespaces.ts";
import type { Lookup } from "./resolve.ts";
import { chooseExchange } from "./sasl/choose.ts";
import { abandon, openSecured, type SecuredStream, stepTimeoutMs, type XmppHost } from "./secure.ts";
import type { SrvRecord } from "./srv.ts";
import type { XmppStream } from "./stream.ts";
import { enableStreamManagement, readCount, type ServerSession } from "./stream-management.ts";

const sm = namespaces.streamManagement;

export interface ExamineOptions {
  readonly lookup: Lookup;
  /** Undefined for a domain that is not in the configuration. */
  findHost(domain: string): XmppHost | undefined;
}

export function createExamine({ lookup, findHost }: ExamineOptions): Examine {
  return async function examine(domain, credentials, watch, signal) {
    const host = findHost(domain);
    if (host === undefined) {
      throw new Failure("host_not_allowed", `"${domain}" is not one of the hosts that this gateway connects to.`);
    }
    const secured = await openWatched(host, watchedLookup(lookup, watch), watch, signal);
    const { stream, features } = secured;
    try {
      watch.begin("mechanisms");
      watch.found(mechanismFound(secured, host));
      if (credentials === undefined) {
        watch.begin("limits");
        watch.found({ step: "limits", maxStanzaBytes: readStanzaLimit(features) });
        stream.push(stream.footer());
      } else {
        await useAccount(secured, host, credentials, watch, signal);
      }
    } catch (error) {
      throw abandon(stream, error);
    } finally {
      stream.end(new Failure("stream_closed", "The examination is over."));
    }
  };
}

/** As `openSecured`; of a certificate that is refused, it finds out what it says. */
async function openWatched(host: XmppHost, lookup: Lookup, watch: Watch, signal: AbortSignal): Promise<SecuredStream> {
  let place: Extract<Finding, { step: "connection" }> | undefined;
  const watchPlace: Watch = {
    ...watch,
    found: (finding) => {
      if (finding.step === "connection") place = finding;
      watch.found(finding);
    },
  };
  try {
    return await openSecured(host, lookup, signal, watchPlace);
  } catch (error) {
    if (error instanceof Failure && error.code.startsWith("certificate_") && place !== undefined) {
      const certificate = await lookAtCertificate(host.domain, place, lookup, signal);
      watch.begin("certificate");
      if (certificate !== undefined) watch.found({ step: "certificate", ...certificate });
    }
    throw error;
  }
}

/** For any account: a mechanism depends on what is offered, not on who asks. */
function mechanismFound(secured: SecuredStream, host: XmppHost): Finding {
  const offer = readOffer(secured.features);
  const { mechanism } = chooseExchange(offer, saslContext(secured, host, "somebody", { password: "-" }));
  return { step: "mechanisms", offered: offer.mechanisms, chosen: mechanism };
}

async function useAccount(
  secured: SecuredStream,
  host: XmppHost,
  { account, password }: Credentials,
  watch: Watch,
  signal: AbortSignal,
): Promise<void> {
  const { domain } = host;
  watch.begin("login");
  const { stream, features, mechanism } = await logIn(secured, { account, host, secret: { password } }, signal);
  const jid = await step("binding a resource", domain, stepTimeoutMs, signal, (limit) =>
    bindResource(stream, account, limit),
  );
  watch.found({ step: "login", mechanism });

  watch.begin("acknowledgements");
  const offered = features.getChild("sm", namespaces.streamManagement) !== undefined;
  const session = await step("enabling stream management", domain, stepTimeoutMs, signal, (limit) =>
    enableStreamManagement(stream, features, limit),
  );
  const resumable = session?.resumptionId !== undefined;
  watch.found({ step: "acknowledgements", offered: offered && session !== undefined, resumable });

  watch.begin("limits");
  watch.found({ step: "limits", maxStanzaBytes: readStanzaLimit(features) });

  watch.begin("message");
  await withTimeLimit(stepTimeoutMs, signal, notSeen, (limit) => sendToSelf(stream, jid, session, limit));
  watch.found({ step: "message", jid: jid.full });
}

/**
 * To this very connection, so that no other client of the account shows it, and no archive keeps it (XEP-0334). Returns
 * when it has come back and the server has acknowledged it, and closes the stream.
 */
async function sendToSelf(
  stream: XmppStream,
  jid: Jid,
  session: ServerSession | undefined,
  signal: AbortSignal,
): Promise<void> {
  const id = randomUUID();
  const hints = ["no-store", "no-permanent-store", "no-copy"].map((hint) => `<${hint} xmlns="${namespaces.hints}"/>`);
  const body = "<body>post-msg check: a message to itself</body>";
  const message = `<message to="${escapeXML(jid.full)}" type="chat" id="${id}">${body}${hints.join("")}</message>`;
  stream.push(message + (session === undefined ? pingRequest(id, jid.domain) : `<r xmlns="${sm}"/>`));
  let [received, acknowledged, returned] = [0, false, false];
  const answer = () => stream.push(session === undefined ? "" : `<a xmlns="${sm}" h="${received}"/>`);
  while (!acknowledged || !returned) {
    const element = await stream.next(signal);
    const name = element.getName();
    const isOurs = element.attrs["id"] === id;
    if (element.is("a", sm)) acknowledged ||= (readCount(element) ?? 0) > 0;
    if (element.is("r", sm)) answer();
    if (!["message", "iq", "presence"].includes(name)) continue;
    received++;
    if (name === "iq" && isOurs) acknowledged = true;
    if (name === "message" && isOurs && element.attrs["type"] === "error") throw refusal(element, jid);
    if (name === "message" && isOurs) returned = true;
  }
  // What is not acknowledged at the end, the server would take for undelivered.
  answer();
  stream.push(stream.footer());
}

function refusal(bounce: Element, jid: Jid): Failure {
  const error = bounce.getChild("error");
  const condition = error?.getChildElements().find((child) => child.getNS() === namespaces.stanzaErrors);
  const cause = new Error(`Bounced: ${error?.toString().slice(0, 1000) ?? "without a reason"}`);
  return stanzaFailure(condition?.getName() ?? "undefined-condition", error?.attrs["type"], jid.bare, cause);
}

function notSeen(): Failure {
  return new Failure(
    "ack_timeout",
    `The message was sent, and was not both acknowledged and delivered within ${stepTimeoutMs} ms.`,
  );
}

function watchedLookup(lookup: Lookup, watch: Watch): Lookup {
  const tell = async <T>(
    type: Query["type"],
    name: string,
    ask: Promise<readonly T[]>,
    show: (record: T) => string,
  ): Promise<readonly T[]> => {
    try {
      const records = await ask;
      watch.asked({ type, name, answers: records.map(show) });
      return records;
    } catch (error) {
      watch.asked({ type, name, answers: [], failure: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
  return {
    srv: (name, signal) => tell("SRV", name, lookup.srv(name, signal), showService),
    a: (name, signal) => tell("A", name, lookup.a(name, signal), String),
    aaaa: (name, signal) => tell("AAAA", name, lookup.aaaa(name, signal), String),
  };
}

function showService({ target, port }: SrvRecord): string {
  return target === "" ? "." : `${target} port ${port}`;
}
