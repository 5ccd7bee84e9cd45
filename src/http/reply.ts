/** The good answer: 201 with the receipt, or without it where the caller prefers so (RFC 7240 section 4.2). */

import type { Receipt } from "../message.ts";

export function writeReceipt({ id, from, to, type }: Receipt, headers: Headers): Response {
  if (prefersMinimal(headers)) {
    return new Response(null, { status: 201, headers: { "Preference-Applied": "return=minimal" } });
  }
  return Response.json({ id, from, to, type }, { status: 201 });
}

/** The first `return` counts, as RFC 7240 section 2 has it. */
function prefersMinimal(headers: Headers): boolean {
  const preferences = (headers.get("prefer") ?? "").split(",");
  const wanted = preferences.map((each) => /^\s*return\s*=\s*"?(\w+)"?\s*(?:;|$)/i.exec(each)?.[1]).find(Boolean);
  return wanted?.toLowerCase() === "minimal";
}
