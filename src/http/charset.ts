/** Bytes to text by the charset that the caller names (WHATWG's labels), without guessing and without replacing. */

import { Failure } from "../errors.ts";
import { quote } from "./quote.ts";

/** Throws a TypeError for bytes that the charset does not know. */
export type Decode = (bytes: Uint8Array) => string;

/** A byte order mark is part of a UTF-8 text, as everything in it is, but not of a UTF-16 one, which needs it. */
export function chooseCharset(label: string): Decode {
  if (label === "utf-8") return decodeUtf8;
  return createDecode(label);
}

const decodeUtf8 = createDecode("utf-8");

function createDecode(label: string): Decode {
  const decoder = createDecoder(label);
  if (decoder.encoding !== "utf-16le") return (bytes) => decoder.decode(bytes);
  const bigEndian = createDecoder("utf-16be");
  return (bytes) => (bytes[0] === 0xfe && bytes[1] === 0xff ? bigEndian : decoder).decode(bytes);
}

function createDecoder(label: string): TextDecoder {
  try {
    // Bun's type lists some of the labels; the others throw.
    const known = label as Bun.Encoding;
    const { encoding } = new TextDecoder(known);
    return new TextDecoder(known, { fatal: true, ignoreBOM: encoding === "utf-8" });
  } catch (cause) {
    const detail = `A text in the charset ${quote(label)} could not be read; UTF-8 is needed.`;
    throw new Failure("unsupported_media_type", detail, { cause });
  }
}
