/** text/plain: the whole body is the message's text. */

import { Failure } from "../errors.ts";
import type { Decode } from "./charset.ts";
import type { Fields } from "./fields-schema.ts";

export function parseText(body: Uint8Array, decode: Decode): Fields {
  // Mostly a script whose variable or file was empty, and which shall not look for a field.
  if (body.byteLength === 0) {
    throw new Failure("empty_message", "The request's body is empty; the text of the message is needed in it.");
  }
  try {
    return { body: toLineFeeds(decode(body)) };
  } catch (cause) {
    const detail = "The body could not be decoded in its charset, which is UTF-8 unless Content-Type says otherwise.";
    throw new Failure("bad_text", detail, { cause });
  }
}

/** Also what HTML makes of a line end when it submits a form. */
export function toLineFeeds(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}
