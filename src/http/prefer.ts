/** The preferences of a request (RFC 7240) that are honoured: `return=minimal` and `wait=N`. */

export interface Preferences {
  /** The receipt is left out of the answer. */
  readonly minimal: boolean;
  /** How long to wait for the recipient's receipt; 0: not at all. */
  readonly waitSeconds: number;
}

const none: Preferences = { minimal: false, waitSeconds: 0 };

/** What cannot be understood, or would be over `waitMaxMs`, is cut or left alone: a preference is no demand. */
export function readPreferences(headers: Headers, waitMaxMs: number): Preferences {
  const header = headers.get("prefer");
  if (header === null) return none;
  const wanted = readWanted(header);
  const wait = wanted.get("wait") ?? "";
  const waitSeconds = /^\d{1,9}$/.test(wait) ? Math.min(Number(wait), Math.floor(waitMaxMs / 1000)) : 0;
  return { minimal: wanted.get("return")?.toLowerCase() === "minimal", waitSeconds };
}

/** The value of Preference-Applied; undefined: no preference was. */
export function describeApplied({ minimal, waitSeconds }: Preferences): string | undefined {
  if (!minimal && waitSeconds === 0) return undefined;
  const applied = [...(minimal ? ["return=minimal"] : []), ...(waitSeconds > 0 ? [`wait=${waitSeconds}`] : [])];
  return applied.join(", ");
}

/** Of a preference that comes twice, the first counts (RFC 7240 section 2). */
function readWanted(header: string): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  for (const each of header.split(",")) {
    const [, name = "", value = ""] = /^\s*([\w-]+)\s*=\s*"?([\w-]*)"?\s*(?:;|$)/.exec(each) ?? [];
    if (name !== "" && !wanted.has(name.toLowerCase())) wanted.set(name.toLowerCase(), value);
  }
  return wanted;
}
