/** A header that may come once. */

import { Failure } from "../errors.ts";

/** Bun joins repeated headers with ", "; none of those read here may hold a comma outside a quoted string. */
export function readSingleHeader(headers: Headers, name: string): string | undefined {
  const value = headers.get(name);
  if (value === null) return undefined;
  if (value.includes(",") && withoutQuotedStrings(value).includes(",")) throw duplicateHeader(name);
  return value;
}

export function withoutQuotedStrings(value: string): string {
  return value.replace(/"(?:[^"\\]|\\.)*"/g, '""');
}

export function duplicateHeader(name: string): Failure {
  return new Failure("duplicate_header", `The header "${name}" was sent more than once; it may come once.`);
}
