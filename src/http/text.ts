/** text/plain: the whole body is the message's text. */

import { Failure } from "../errors.ts";
import type { Decode } from "./charset.ts";
import type { Fields } from "./fields-schema.ts";

export function parseText(body: Uint8Array, decode: Decode): Fields {
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
