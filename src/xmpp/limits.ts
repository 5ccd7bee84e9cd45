/** What the server says about its limits (XEP-0478). */

import type { Element } from "@xmpp/xml";
import { namespaces } from "./namespaces.ts";

/** The longest stanza that it takes, in bytes; undefined where it does not say. */
export function readStanzaLimit(features: Element): number | undefined {
  const text = features.getChild("limits", namespaces.streamLimits)?.getChildText("max-bytes") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
