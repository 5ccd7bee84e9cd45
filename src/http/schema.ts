/** The shapes that cross the HTTP border, each described once. */

import { type Static, Type } from "@sinclair/typebox";
import { codes } from "../errors.ts";
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

/** What became of the message to one of several recipients. */
export const resultSchema = Type.Object({
  to: Type.String({ description: "The recipient's JID, or what was written in its place." }),
  status: Type.Integer({
    description: "201, or what a message to this recipient alone would have been answered with.",
  }),
  id: Type.Optional(Type.String({ description: "The stanza's id and origin-id (XEP-0359)." })),
  type: Type.Optional(Type.Union(messageTypes.map((type) => Type.Literal(type)))),
  receipt: Type.Optional(
    Type.Union([Type.Literal("received"), Type.Literal("accepted")], {
      description: "With `Prefer: wait`, as `status` is for a single recipient.",
    }),
  ),
  code: Type.Optional(Type.String({ description: "Of a refusal; stable." })),
  detail: Type.Optional(Type.String({ description: "Of a refusal: what could not be done and what was needed." })),
  outcome: Type.Optional(Type.Union([Type.Literal("not_sent"), Type.Literal("unknown")])),
});
export type Result = Static<typeof resultSchema>;

export const resultsSchema = Type.Object({ results: Type.Array(resultSchema) });

/** RFC 9457 with members of our own. */
export const problemSchema = Type.Object({
  type: Type.Literal("about:blank"),
  title: Type.String({ description: "The status in words." }),
  status: Type.Integer(),
  detail: Type.String({ description: "What could not be done and what was needed." }),
  code: Type.String({ enum: [...codes], description: "Stable." }),
  outcome: Type.Union([Type.Literal("not_sent"), Type.Literal("unknown")]),
  request_id: Type.String(),
  pointer: Type.Optional(
    Type.String({ description: "The field that is meant, as a JSON pointer (RFC 6901) such as /oob/url." }),
  ),
  results: Type.Optional(Type.Array(resultSchema, { description: "Of several recipients, all of them refused." })),
});
export type Problem = Static<typeof problemSchema>;

/** The same with mod_rest's members, `type` and `code` being mod_rest's. */
export const restProblemSchema = Type.Composite([
  Type.Omit(problemSchema, ["type", "code"]),
  Type.Object({
    type: Type.Literal("error"),
    code: Type.Integer({ description: "The status." }),
    error: Type.Object({
      type: Type.Union(["auth", "cancel", "modify", "wait"].map((type) => Type.Literal(type))),
      condition: Type.String({ description: "RFC 6120 section 8.3.3, or mod_rest's own." }),
      text: Type.String(),
      extra: Type.Object({
        code: Type.String({ enum: [...codes], description: "Stable; the code of a problem elsewhere." }),
      }),
    }),
  }),
]);
export type RestProblem = Static<typeof restProblemSchema>;

export const messageResponses = {
  201: Type.Union([receiptSchema, resultsSchema]),
  207: resultsSchema,
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

const { 201: _, 207: __, ...refusals } = messageResponses;
type Refusals = { readonly [Status in keyof typeof refusals]: typeof restProblemSchema };

export const restResponses = {
  202: Type.Null({ description: "The sender's server has taken responsibility for the message." }),
  207: resultsSchema,
  ...mapToRest(refusals),
};

function mapToRest(statuses: object): Refusals;
function mapToRest(statuses: object): object {
  return Object.fromEntries(Object.keys(statuses).map((status) => [status, restProblemSchema]));
}
