/** What a step has found, in words; and what deserves a warning although messages can be sent. */

import type { Certificate, EndpointFound, Finding, Query } from "../findings.ts";
import { type Place, showAddress, showEndpoint } from "./place.ts";

export interface Description {
  readonly state: "good" | "warning";
  readonly summary: string;
  readonly remedy?: string;
}

const dayMs = 24 * 60 * 60 * 1000;
/** Authorities of the automatic kind renew 30 days before the end; what has less than this was forgotten. */
const fewDays = 14;

export function describe(finding: Finding, queries: readonly Query[], place: Place, now: Date): Description {
  switch (finding.step) {
    case "name":
      return good(
        place.connect === undefined ? namesFound(finding.endpoints, queries) : `${place.connect}, as "connect" says`,
      );
    case "connection":
      return describeConnection(finding, queries);
    case "stream":
      return good(`an XMPP server answers; it offers ${listOf(finding.features)}`);
    case "tls":
      return good(`${finding.protocol.replace(/^TLSv/, "TLS ")}, ${finding.cipher}`);
    case "certificate":
      return describeCertificate(finding, now);
    case "mechanisms":
      return describeMechanisms(finding.offered, finding.chosen);
    case "login":
      return good(`logged in by ${finding.mechanism}`);
    case "acknowledgements":
      return describeAcknowledgements(finding.offered, finding.resumable);
    case "limits":
      return good(
        finding.maxStanzaBytes === undefined
          ? `the server does not say how long a stanza may be; max_stanza counts, ${place.maxStanzaBytes} bytes`
          : `the server takes stanzas of up to ${finding.maxStanzaBytes} bytes; max_stanza is ${place.maxStanzaBytes} bytes`,
      );
    case "message":
      return good(`a message to ${finding.jid} was acknowledged and came back`);
  }
}

function good(summary: string): Description {
  return { state: "good", summary };
}

function namesFound(endpoints: readonly EndpointFound[], queries: readonly Query[]): string {
  const services = queries.filter(({ type }) => type === "SRV");
  const found = services.flatMap(({ name, answers }) => answers.map((answer) => `${name} is ${answer}`));
  if (found.length > 0) return `SRV ${found.join("; ")}`;
  return `no SRV record; the domain itself is tried: ${endpoints.map(showEndpoint).join(", ")}`;
}

function describeConnection(
  { endpoint, address, missed }: Extract<Finding, { step: "connection" }>,
  queries: readonly Query[],
): Description {
  const how = endpoint.tls === "direct" ? "direct TLS" : "STARTTLS";
  const addresses = queries.filter(({ type }) => type !== "SRV").flatMap(({ answers }) => answers);
  const others = new Set(addresses.filter((each) => each !== address)).size;
  const more = others === 0 ? "" : `, one of ${others + 1} addresses`;
  const summary = `${showAddress(address, endpoint.port)} accepts connections (${how}${more})`;
  if (missed.length === 0) return good(summary);
  return {
    state: "warning",
    summary: `${summary}; before it, ${missed.map(showEndpoint).join(", ")} did not`,
    remedy:
      "Start the servers that did not accept a connection, or take their SRV records out of DNS: every login tries them first.",
  };
}

function describeCertificate(certificate: Certificate, now: Date): Description {
  const days = Math.floor((certificate.validTo.getTime() - now.getTime()) / dayMs);
  const summary = showCertificate(certificate, now);
  if (days >= fewDays) return good(summary);
  return {
    state: "warning",
    summary,
    remedy:
      "Renew the certificate and have the XMPP server load it before then; after that no message is sent any more.",
  };
}

/** Good or not. */
export function showCertificate({ subject, issuer, names, validFrom, validTo }: Certificate, now: Date): string {
  const days = Math.floor((validTo.getTime() - now.getTime()) / dayMs);
  const left = days >= 0 ? `${days} days left` : "over";
  const until = validFrom > now ? `valid from ${day(validFrom)}` : `valid until ${day(validTo)}, ${left}`;
  return `for ${names.length === 0 ? "no name" : listOf(names)}; ${until}; subject ${subject}; issuer ${issuer}`;
}

function describeMechanisms(offered: readonly string[], chosen: string): Description {
  const summary = `${chosen} would be used; offered: ${listOf(offered)}`;
  if (chosen !== "PLAIN") return good(summary);
  return {
    state: "warning",
    summary,
    remedy:
      'The server offers no SCRAM, so that it sees every password as it is. Where passwords are kept in its own store, it can offer SCRAM: authentication = "internal_hashed" in Prosody, auth_password_format: scram in ejabberd.',
  };
}

function describeAcknowledgements(offered: boolean, resumable: boolean): Description {
  if (offered && resumable)
    return good("the server acknowledges what it takes, and lost connections are resumed (XEP-0198)");
  if (offered) return good("the server acknowledges what it takes (XEP-0198), but does not resume lost connections");
  return {
    state: "warning",
    summary: "the server has no XEP-0198; the answer to a ping behind each message takes its place",
    remedy:
      'Messages are sent, but one that is on its way when a connection breaks ends as 504 with outcome "unknown". Switch stream management on in the server: the module "smacks" in Prosody, mod_stream_mgmt in ejabberd.',
  };
}

function listOf(words: readonly string[]): string {
  return words.length === 0 ? "nothing" : words.join(", ");
}

function day(date: Date): string {
  return Number.isNaN(date.getTime()) ? "a date that cannot be read" : date.toISOString().slice(0, 10);
}
