/** A server's certificate in words, as the doctor shows it; whether it is good is for tls.ts to say. */

import type { PeerCertificate, TLSSocket } from "node:tls";
import type { Certificate } from "../findings.ts";

export function certificateOf(encrypted: TLSSocket): Certificate {
  const { subject, issuer, subjectaltname, valid_from, valid_to } = encrypted.getPeerCertificate();
  return {
    subject: nameOf(subject),
    issuer: nameOf(issuer),
    names: namesOf(subjectaltname),
    validFrom: new Date(valid_from),
    validTo: new Date(valid_to),
  };
}

/** "CN=example.com, O=Example" */
function nameOf(name: PeerCertificate["subject"] | undefined): string {
  const parts = Object.entries(name ?? {}).flatMap(([attribute, values]) =>
    [values].flat().map((value) => `${attribute}=${value}`),
  );
  return parts.join(", ");
}

/** "DNS:example.com, DNS:*.example.com, IP Address:192.0.2.7" */
function namesOf(alternatives: string | undefined): string[] {
  return (alternatives ?? "").split(", ").flatMap((each) => /^(?:DNS|IP Address):(.*)$/.exec(each)?.[1] ?? []);
}
