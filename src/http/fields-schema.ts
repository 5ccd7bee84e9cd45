/**
 * The fields of a message as a caller writes them, not yet judged: the shape that JSON has to have, and forms by names
 * like `oob.url`. They are those of mod_rest's JSON mapping, and body and subject in several languages.
 */

import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { chatStates, messageTypes } from "../message.ts";

const text = (description: string) => Type.String({ description });
const nonEmpty = (description: string) => Type.String({ description, minLength: 1 });
const object = <Properties extends Record<string, TSchema>>(properties: Properties, description?: string) =>
  Type.Object(properties, { additionalProperties: false, ...(description === undefined ? {} : { description }) });

/** BCP 47 in outline, as `xml:lang` takes it. */
export const languageTag = "^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,9}$";
const byLanguage = (description: string) =>
  Type.Record(Type.String({ pattern: languageTag }), Type.String(), {
    additionalProperties: false,
    minProperties: 1,
    description,
  });
const messageId = (description: string) => Type.String({ description, minLength: 1, maxLength: 255 });
/** XML Schema's unsignedInt, as XEP-0372 and XEP-0428 have it. */
const position = (description: string) => Type.Integer({ description, minimum: 0, maximum: 0xffff_ffff });
const range = object({
  start: Type.Optional(position("Its first character.")),
  end: Type.Optional(position("The character behind it.")),
});

export const fieldsSchema = object({
  to: Type.Optional(
    Type.Union([
      text("The recipient, when the path names nobody: an address, or an alias such as @oncall."),
      Type.Array(text("One of them."), { minItems: 1, description: "Several recipients." }),
    ]),
  ),
  type: Type.Optional(text(`One of ${messageTypes.join(", ")}; chat by default.`)),
  body: Type.Optional(Type.Union([text("The text."), byLanguage("The text in several languages, by tag.")])),
  html: Type.Optional(text("The text as a well-formed XHTML fragment, reduced to XHTML-IM (XEP-0071).")),
  kind: Type.Optional(text("What is sent: message, and nothing else.")),
  from: Type.Optional(text("The sender's JID; it has to be the account that logs in.")),
  id: Type.Optional(messageId("The message's id; by default, a random one.")),
  lang: Type.Optional(
    Type.String({ description: "The language of its texts (BCP 47).", pattern: languageTag, examples: ["en"] }),
  ),
  subject: Type.Optional(
    Type.Union([text("The subject; in a room, its topic."), byLanguage("The subject in several languages, by tag.")]),
  ),
  thread: Type.Optional(
    Type.Union([
      nonEmpty("The conversation's id (XEP-0201)."),
      object({ id: nonEmpty("The conversation's id."), parent: Type.Optional(nonEmpty("The one it began in.")) }),
    ]),
  ),
  nick: Type.Optional(nonEmpty("The sender's nickname (XEP-0172), and its nick in a room.")),
  room_password: Type.Optional(nonEmpty("What the room wants to hear of who enters it (XEP-0045).")),
  create_room: Type.Optional(Type.Boolean({ description: "Makes the room if there is none." })),
  oob_url: Type.Optional(nonEmpty("The same as oob.url.")),
  oob: Type.Optional(
    object(
      { url: nonEmpty("Where the file is."), desc: Type.Optional(text("What it is.")) },
      "A file or link beside the text (XEP-0066).",
    ),
  ),
  state: Type.Optional(
    Type.Union(
      chatStates.map((state) => Type.Literal(state)),
      { description: "What the sender is doing (XEP-0085)." },
    ),
  ),
  replace: Type.Optional(messageId("The id of the message that this one corrects (XEP-0308).")),
  reply: Type.Optional(
    object(
      { id: messageId("Its id."), to: Type.Optional(nonEmpty("The JID of its author.")) },
      "The message that this one answers (XEP-0461).",
    ),
  ),
  reactions: Type.Optional(
    object(
      {
        id: messageId("Its id."),
        reactions: Type.Array(nonEmpty("An emoji."), { description: "All that hold; none: no more." }),
      },
      "Reactions to a message (XEP-0444).",
    ),
  ),
  attach_to: Type.Optional(messageId("The id of the message to show this one with (XEP-0367).")),
  reference: Type.Optional(
    object(
      {
        type: nonEmpty("mention or data."),
        uri: nonEmpty("Who or what it is."),
        begin: Type.Optional(position("Its first character in the text.")),
        end: Type.Optional(position("Its last character in the text.")),
      },
      "What the text mentions (XEP-0372).",
    ),
  ),
  markable: Type.Optional(
    Type.Boolean({ description: "The recipient is asked to say what was displayed (XEP-0333)." }),
  ),
  displayed: Type.Optional(messageId("The id of the message that has been displayed (XEP-0333).")),
  invite: Type.Optional(
    object(
      {
        jid: nonEmpty("The room's JID."),
        password: Type.Optional(text("The room's password.")),
        reason: Type.Optional(text("Why.")),
        continue: Type.Optional(Type.Boolean({ description: "It goes on with a conversation between two." })),
        thread: Type.Optional(text("That conversation's id.")),
      },
      "An invitation to a room (XEP-0249).",
    ),
  ),
  payload: Type.Optional(
    object(
      { datatype: nonEmpty("A URI that names what it is."), data: Type.Unknown({ description: "Any JSON value." }) },
      "Data for a program (XEP-0432).",
    ),
  ),
  delay: Type.Optional(
    nonEmpty("When the message was meant to be sent, such as 2002-09-10T23:08:25Z (XEP-0203, XEP-0082)."),
  ),
  fallback: Type.Optional(
    Type.Union([
      Type.Boolean({ description: "The text is for clients that do not know the rest (XEP-0428)." }),
      object({
        for: Type.Optional(nonEmpty("The namespace of what they do not know.")),
        body: Type.Optional(range),
        subject: Type.Optional(range),
      }),
    ]),
  ),
  encryption: Type.Optional(nonEmpty("The namespace of the encryption that the message comes in (XEP-0380).")),
});
export type Fields = Readonly<Static<typeof fieldsSchema>>;
