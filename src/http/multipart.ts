/** multipart/form-data (RFC 7578), as `curl -F` and browsers send it. A file part is its text. */

import type { MIMEType } from "node:util";
import { Failure } from "../errors.ts";
import type { Fields } from "./fields-schema.ts";
import { collectFields } from "./form-fields.ts";
import { toLineFeeds } from "./text.ts";

export async function parseMultipart(body: Uint8Array, mediaType: MIMEType): Promise<Fields> {
  const entries = await readEntries(body, mediaType);
  // Bun leaves out parts that it cannot read; a message must not lose one in silence.
  if (entries.length !== countParts(body, mediaType)) throw badForm("a part of it has no name or a broken header");
  const texts = entries.map(async ([name, value]): Promise<[string, string]> => {
    return [name, toLineFeeds(typeof value === "string" ? value : await readFile(value))];
  });
  return collectFields(await Promise.all(texts));
}

async function readEntries(body: Uint8Array, mediaType: MIMEType): Promise<[string, string | Blob][]> {
  try {
    // All parts are UTF-8 (RFC 7578 section 5.1.2); Bun would replace what is not.
    new TextDecoder("utf-8", { fatal: true }).decode(body);
    const asReceived = new Response(new Uint8Array(body), { headers: { "Content-Type": String(mediaType) } });
    return [...(await asReceived.formData()).entries()];
  } catch (cause) {
    throw badForm("it is cut short, has no boundary or is not UTF-8", cause);
  }
}

/** Delimiter lines (RFC 2046 section 5.1.1), the closing one not counted. */
function countParts(body: Uint8Array, mediaType: MIMEType): number {
  const delimiter = `--${mediaType.params.get("boundary")}`;
  const lines = `\r\n${Buffer.from(body).toString("latin1")}`.split(`\r\n${delimiter}`).slice(1);
  return lines.filter((line) => /^[ \t]*\r\n/.test(line)).length;
}

async function readFile(file: Blob): Promise<string> {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer());
}

function badForm(why: string, cause?: unknown): Failure {
  return new Failure("bad_form", `The multipart form could not be read: ${why}.`, { cause });
}
