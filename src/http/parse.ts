/** What does it say: chooses by media type how a body is read. Parameters and letter case do not matter. */

import { MIMEType } from "node:util";
import { Failure } from "../errors.ts";
import type { MessageType } from "../message.ts";
import { chooseCharset, type Decode } from "./charset.ts";
import type { Fields } from "./fields-schema.ts";
import { parseForm } from "./form.ts";
import { parseJson } from "./json.ts";
import { parseMultipart } from "./multipart.ts";
import { quote } from "./quote.ts";
import { readSingleHeader } from "./single-header.ts";
import { parseText } from "./text.ts";

/** As Accept-Post names them. */
export const acceptedMediaTypes = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "application/json",
] as const;
export const stanzaMediaType = "application/xmpp+xml";

/** What a body says. */
export interface Parsed {
  readonly fields: Fields;
  /** As in Message. */
  readonly elements?: string | undefined;
  readonly requestReceipt?: boolean;
  /** The type that a message has where nothing says one, if that is not the usual. */
  readonly defaultType?: MessageType;
}

export type Parser = (body: Uint8Array) => Parsed | Promise<Parsed>;
type ParseXml = (body: Uint8Array, decode: Decode) => Parsed;

/** Judges the headers alone, so that a body of a wrong kind need not be read. `parseXml`: where XML is taken, too. */
export function chooseParser(headers: Headers, parseXml?: ParseXml): Parser {
  refuseContentEncoding(headers);
  const contentType = readSingleHeader(headers, "content-type") || "text/plain";
  return usualParsers.get(contentType) ?? chooseFor(contentType, parseXml);
}

function chooseFor(contentType: string, parseXml?: ParseXml): Parser {
  const mediaType = readMediaType(contentType);
  const decode = chooseCharset(mediaType.params.get("charset") ?? "utf-8");
  const { essence } = mediaType;
  if (essence === "text/plain") return (body) => ({ fields: parseText(body, decode) });
  if (essence === "application/x-www-form-urlencoded") return (body) => ({ fields: parseForm(body, decode) });
  if (essence === "multipart/form-data") return async (body) => ({ fields: await parseMultipart(body, mediaType) });
  if (essence === "application/json" || essence.endsWith("+json"))
    return (body) => ({ fields: parseJson(body, decode) });
  if (essence === stanzaMediaType && parseXml !== undefined) return (body) => parseXml(body, decode);
  throw unsupported(
    contentType,
    parseXml === undefined ? acceptedMediaTypes : [...acceptedMediaTypes, stanzaMediaType],
  );
}

/** Nearly all requests name one of these; what they mean is found out once. */
const usualParsers: ReadonlyMap<string, Parser> = new Map(
  acceptedMediaTypes
    .filter((essence) => essence !== "multipart/form-data")
    .flatMap((essence) => ["", "; charset=utf-8", "; charset=UTF-8", ";charset=UTF-8"].map((tail) => essence + tail))
    .map((contentType) => [contentType, chooseFor(contentType)]),
);

function readMediaType(contentType: string): MIMEType {
  try {
    return new MIMEType(contentType);
  } catch {
    throw unsupported(contentType, acceptedMediaTypes); // Not a media type at all.
  }
}

function refuseContentEncoding(headers: Headers): void {
  const named = headers.get("content-encoding");
  if (named === null) return;
  const codings = named.split(",").map((coding) => coding.trim().toLowerCase());
  const unknown = codings.find((coding) => coding !== "" && coding !== "identity");
  if (unknown === undefined) return;
  throw new Failure(
    "unsupported_content_encoding",
    `The body has the content encoding ${quote(unknown)}; it is needed as it is.`,
  );
}

function unsupported(contentType: string, accepted: readonly string[]): Failure {
  return new Failure(
    "unsupported_media_type",
    `A body of type ${quote(contentType)} could not be read; one of ${accepted.join(", ")} is needed.`,
  );
}
