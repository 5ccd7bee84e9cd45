/** The good answer: 201 with the receipt, or without it where the caller prefers so (RFC 7240 section 4.2). */

import type { Receipt } from "../message.ts";
import { describeApplied, type Preferences } from "./prefer.ts";

export function writeReceipt(receipt: Receipt, preferences: Preferences): Response {
  const applied = describeApplied(preferences);
  const headers: Record<string, string> = applied === undefined ? {} : { "Preference-Applied": applied };
  if (preferences.minimal) return new Response(null, { status: 201, headers });
  const { id, from, to, type, status } = receipt;
  return Response.json({ id, from, to, type, ...(status === undefined ? {} : { status }) }, { status: 201, headers });
}
