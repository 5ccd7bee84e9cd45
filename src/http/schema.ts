/** The shapes that cross the HTTP border, each described once. */

import { type Static, Type } from "@sinclair/typebox";
import { messageTypes } from "../message.ts";

export const receiptSchema = Type.Object({
  id: Type.String({ description: "The stanza's id and origin-id (XEP-0359)." }),
  from: Type.String({ description: "The sender's bare JID." }),
  to: Type.String({ description: "The recipient's JID." }),
  type: Type.Union(messageTypes.map((type) => Type.Literal(type))),
  status: Type.Optional(
    Type.Union([Type.Literal("received"), Type.Literal("accepted")], {
      description: "With `Prefer: wait`: whether the recipient's client has confirmed the message in time (XEP-0184).",
    }),
  ),
});

/** RFC 9457 with members of our own. */
export const problemSchema = Type.Object({
  type: Type.Literal("about:blank"),
  title: Type.String({ description: "The status in words." }),
  status: Type.Integer(),
  detail: Type.String({ description: "What could not be done and what was needed." }),
  code: Type.String({ description: "Stable." }),
  outcome: Type.Union([Type.Literal("not_sent"), Type.Literal("unknown")]),
  request_id: Type.String(),
  pointer: Type.Optional(
    Type.String({ description: "The field that is meant, as a JSON pointer (RFC 6901) such as /oob/url." }),
  ),
});
export type Problem = Static<typeof problemSchema>;

export const messageResponses = {
  201: receiptSchema,
  400: problemSchema,
  401: problemSchema,
  403: problemSchema,
  404: problemSchema,
  408: problemSchema,
  409: problemSchema,
  413: problemSchema,
  415: problemSchema,
  422: problemSchema,
  429: problemSchema,
  500: problemSchema,
  502: problemSchema,
  503: problemSchema,
  504: problemSchema,
};
