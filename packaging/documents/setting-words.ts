/** What the documents say of a setting beside its help. */

import type { Setting } from "../../src/config/settings.ts";

/** As it is written in the file: what JSON says of these is TOML too. */
export function toTomlValue(value: Exclude<Setting["default"], undefined>): string {
  return Array.isArray(value) ? `[${value.map((each) => JSON.stringify(each)).join(", ")}]` : JSON.stringify(value);
}

/** A sentence, where there is something to choose from or a bound to keep. */
export function boundsOf({ choices = [], range }: Setting["type"]): string | undefined {
  const words = choices.map((word) => JSON.stringify(word)).join(", ");
  const span = range === undefined ? "" : `from ${toTomlValue(range[0])} to ${toTomlValue(range[1])}`;
  if (words !== "" && span !== "") return `It is ${words}, or ${span}.`;
  if (words !== "") return `One of ${words}.`;
  return span === "" ? undefined : `F${span.slice(1)}.`;
}

/** `[aliases]` has no settings of a fixed name, so that it is no part of the schema. */
export const aliases = {
  help: 'Names for several recipients, by which a request may call them: /msg/@oncall, or @oncall in "to".',
  example: `oncall = ["alice@example.com", "ops@conference.example.com"]`,
} as const;
