/** The fields that become elements of their own, judged beyond their shape: addresses, times, languages, JSON. */

import { parseJid } from "../jid.ts";
import type { Extensions, Text } from "../message.ts";
import { badField } from "./check-fields.ts";
import type { Fields } from "./fields-schema.ts";
import { carriable, carriableValue, type ForbiddenCharacters } from "./forbidden-characters.ts";
import { quote } from "./quote.ts";

/** As many as elements in html may have; deeper data costs its readers more than it can mean. */
const maxJsonDepth = 64;

/** Undefined: they say nothing, such as `markable: false`. */
export function judgeExtensions(given: Fields, forbidden: ForbiddenCharacters): Extensions | undefined {
  // The body has been judged already, and the payload's data is written as JSON, which has escapes of its own.
  const { body: _body, html: _html, payload, ...rest } = given;
  const fields = carriableValue("", rest, forbidden);
  const { subject, thread, reply, invite, delay, fallback } = fields;
  const extensions = present({
    subject: typeof subject === "object" ? judgeLanguages("/subject", subject, forbidden) : subject,
    thread: typeof thread === "string" ? { id: thread } : thread,
    nick: fields.nick,
    oob: judgeOob(fields),
    state: fields.state,
    replace: fields.replace,
    reply: reply?.to === undefined ? reply : { ...reply, to: readJid("/reply/to", reply.to) },
    reactions: judgeReactions(fields.reactions),
    attach_to: fields.attach_to,
    reference: judgeReference(fields.reference),
    markable: fields.markable || undefined,
    displayed: fields.displayed,
    invite: invite === undefined ? undefined : { ...invite, jid: readJid("/invite/jid", invite.jid) },
    payload: payload === undefined ? undefined : judgePayload(payload, forbidden),
    delay: delay === undefined ? undefined : readTime("/delay", delay),
    fallback: fallback || undefined,
    encryption: fields.encryption,
  });
  return Object.keys(extensions).length === 0 ? undefined : extensions;
}

/** RFC 6121 section 5.2.3: the languages are distinct, and by BCP 47 letter case does not make them so. */
export function judgeLanguages(
  pointer: string,
  texts: Readonly<Record<string, string>>,
  forbidden: ForbiddenCharacters,
): Text | undefined {
  const seen = new Set<string>();
  for (const tag of Object.keys(texts)) {
    if (seen.has(tag.toLowerCase())) throw badField(`${pointer}/${tag}`, "its language is there already");
    seen.add(tag.toLowerCase());
  }
  const carried = Object.entries(carriableValue(pointer, texts, forbidden)).filter(([, text]) => text !== "");
  return carried.length === 0 ? undefined : Object.fromEntries(carried);
}

function judgeOob({ oob, oob_url: url }: Pick<Fields, "oob" | "oob_url">): Extensions["oob"] {
  if (url !== undefined && oob !== undefined && oob.url !== url) {
    throw badField("/oob_url", "it is not the same as oob.url; one of them is needed");
  }
  if (oob !== undefined) readUri("/oob/url", oob.url);
  else if (url !== undefined) readUri("/oob_url", url);
  return oob ?? (url === undefined ? undefined : { url });
}

/** XEP-0444: each at most once. */
function judgeReactions(reactions: Fields["reactions"]): Extensions["reactions"] {
  if (reactions === undefined || new Set(reactions.reactions).size === reactions.reactions.length) return reactions;
  throw badField("/reactions/reactions", "it holds the same one twice");
}

function judgeReference(reference: Fields["reference"]): Extensions["reference"] {
  if (reference === undefined) return undefined;
  readUri("/reference/uri", reference.uri);
  const { begin, end } = reference;
  if (begin !== undefined && end !== undefined && end < begin)
    throw badField("/reference/end", "it is before its begin");
  return reference;
}

function judgePayload(
  { datatype, data }: Exclude<Fields["payload"], undefined>,
  forbidden: ForbiddenCharacters,
): Extensions["payload"] {
  const json = toCarriableJson(data);
  return { datatype: carriable("/payload/datatype", datatype, forbidden), json };
}

/** JSON.stringify writes control characters and lone surrogates as escapes; what else XML cannot carry, we do. */
function toCarriableJson(data: unknown): string {
  refuseUncarriable(data, 0);
  const json = JSON.stringify(data);
  return json.replace(/[\uFFFE\uFFFF]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

/** A number that was read as another one must not be passed on as if it were what the caller wrote. */
function refuseUncarriable(value: unknown, depth: number): void {
  if (typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw badField(
      "/payload/data",
      "it holds a number beyond 2^53, which JSON's readers round; a text is needed for it",
    );
  }
  if (typeof value !== "object" || value === null) return;
  if (depth === maxJsonDepth) throw badField("/payload/data", `it is nested more than ${maxJsonDepth} deep`);
  for (const member of Object.values(value)) refuseUncarriable(member, depth + 1);
}

function readJid(pointer: string, text: string): string {
  const result = parseJid(text);
  if ("jid" in result) return result.jid.full;
  throw badField(pointer, `${quote(text)} is not an XMPP address: ${result.problem}`);
}

function readUri(pointer: string, text: string): void {
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && (URL.canParse(text) || !/^https?:/i.test(text))) return;
  throw badField(pointer, `${quote(text)} is not a whole URI such as https://example.com/graph.png`);
}

/** XEP-0082: a date and a time with its zone. */
function readTime(pointer: string, text: string): string {
  const whole = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  if (whole && !Number.isNaN(Date.parse(text))) return text;
  throw badField(pointer, `${quote(text)} is not a time such as 2002-09-10T23:08:25Z`);
}

type Present<Value> = { readonly [Name in keyof Value]?: Exclude<Value[Name], undefined> };

function present<Value extends object>(value: Value): Present<Value>;
function present(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
