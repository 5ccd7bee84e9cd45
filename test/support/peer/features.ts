/** The `<stream:features/>` of each stage, and the words of XEP-0198 that go with them. */

import {
  bindNamespace,
  channelBindingNamespace,
  limitsNamespace,
  managementNamespace,
  saslNamespace,
  sessionNamespace,
  stanzaErrorNamespace,
  tlsNamespace,
} from "./namespaces.ts";
import type { PeerBehaviour } from "./options.ts";

export function beforeTls(): string {
  return features(`<starttls xmlns='${tlsNamespace}'><required/></starttls>`);
}

export function beforeLogin({ mechanisms, channelBindings, maxStanzaBytes }: PeerBehaviour): string {
  const names = mechanisms.map((name) => `<mechanism>${name}</mechanism>`).join("");
  const types = channelBindings?.map((type) => `<channel-binding type='${type}'/>`).join("");
  return features(
    `<mechanisms xmlns='${saslNamespace}'>${names}</mechanisms>`,
    types === undefined
      ? ""
      : `<sasl-channel-binding xmlns='${channelBindingNamespace}'>${types}</sasl-channel-binding>`,
    limits(maxStanzaBytes),
  );
}

export function afterLogin({ streamManagement, maxStanzaBytes }: PeerBehaviour): string {
  return features(
    `<bind xmlns='${bindNamespace}'/>`,
    `<session xmlns='${sessionNamespace}'><optional/></session>`,
    streamManagement ? `<sm xmlns='${managementNamespace}'/>` : "",
    limits(maxStanzaBytes),
  );
}

/** XEP-0198 section 5; `handled` where the server still knows. */
export function resumptionFailed(handled: number | undefined): string {
  const h = handled === undefined ? "" : ` h='${handled}'`;
  return `<failed xmlns='${managementNamespace}'${h}><item-not-found xmlns='${stanzaErrorNamespace}'/></failed>`;
}

function limits(maxStanzaBytes: number | undefined): string {
  if (maxStanzaBytes === undefined) return "";
  return `<limits xmlns='${limitsNamespace}'><max-bytes>${maxStanzaBytes}</max-bytes></limits>`;
}

function features(...parts: string[]): string {
  return `<stream:features>${parts.join("")}</stream:features>`;
}
