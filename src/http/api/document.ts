/**
 * The API's description (OpenAPI 3.1), made from the very schemas of the routes and from the table of codes, so that it
 * cannot say anything else than they do.
 */

import { messageTypes } from "../../message.ts";
import { fieldsSchema } from "../fields-schema.ts";
import { healthPath } from "../health.ts";
import { stanzaMediaType } from "../parse.ts";
import { restPath } from "../rest/endpoint.ts";
import {
  messageResponses,
  problemSchema,
  receiptSchema,
  restProblemSchema,
  restResponses,
  resultsSchema,
} from "../schema.ts";
import { formSchemaOf } from "./form-schema.ts";
import { type Json, reference } from "./json.ts";
import { problemExamples } from "./problem-examples.ts";
import { problemReferences, problemResponses } from "./problems.ts";

export interface ApiOptions {
  /** `[http] path`. */
  readonly path: string;
  /** `[http] rest`: mod_rest's paths are there, too. */
  readonly rest: boolean;
  readonly version: string;
}

const description = `Sends XMPP messages. A 201 (under /rest: 202) means that the sender's XMPP server has taken responsibility for the message.

Log in with HTTP Basic: the bare JID of an XMPP account and its password. From 400 up, the answer is \`application/problem+json\` (RFC 9457); \`outcome\` says whether the message was sent.`;

export function describeApi({ path, rest, version }: ApiOptions): Json {
  return {
    openapi: "3.1.0",
    info: { title: "post-msg", version, description, license: { name: "MIT", identifier: "MIT" } },
    // Beside this document, also behind a proxy that puts a path before it.
    servers: [{ url: "./" }],
    security: [{ basic: [] }],
    paths: {
      [`${path}/{recipient}`]: { post: message("sendTo", "Send a message to somebody", ["recipient"]) },
      [path]: { post: message("send", "Send a message to the recipient that the body names", []) },
      ...(rest ? restPaths() : {}),
      [`${healthPath}/live`]: { get: health("live", "Does it live?") },
      [`${healthPath}/ready`]: { get: health("ready", "Does it take requests?") },
    },
    components: {
      securitySchemes: { basic: { type: "http", scheme: "basic", description: "A bare JID and its password." } },
      schemas: {
        Message: fieldsSchema,
        MessageForm: formSchemaOf(fieldsSchema),
        Receipt: receiptSchema,
        Results: resultsSchema,
        Problem: problemSchema,
        RestProblem: restProblemSchema,
      },
      parameters,
      responses: problemResponses(),
      headers: {
        RequestId: { description: "As it was sent, or a new one; also in the log.", schema: { type: "string" } },
        RetryAfter: { description: "Seconds after which to come back.", schema: { type: "integer", minimum: 0 } },
        Challenge: { description: "What to log in with: Basic.", schema: { type: "string" } },
      },
    },
  };
}

function restPaths(): Json {
  return {
    [`${restPath}/message/{type}/{recipient}`]: {
      post: restMessage("restSendTo", "mod_rest: send a message of this type to somebody", ["type", "recipient"]),
    },
    [`${restPath}/message/{type}`]: {
      post: restMessage("restSend", "mod_rest: send a message of this type", ["type"]),
    },
    [restPath]: { post: restMessage("restStanza", "mod_rest: send a message", []) },
  };
}

/** The headers without examples: a page to try it out would send them. */
const parameters = {
  recipient: {
    name: "recipient",
    in: "path",
    required: true,
    description:
      "A JID, which may have a resource; a user at the sender's own domain; an allowed host itself; an alias; or several, with commas between them.",
    schema: { type: "string", minLength: 1 },
    examples: {
      jid: { value: "bob@example.com" },
      user: { value: "bob" },
      domain: { value: "example.com" },
      alias: { value: "@oncall" },
    },
  },
  type: {
    name: "type",
    in: "path",
    required: true,
    description: "The message's type.",
    schema: { type: "string", enum: messageTypes },
  },
  prefer: {
    name: "Prefer",
    in: "header",
    description: "`return=minimal`: an answer without a body. `wait=N`: up to N seconds for the recipient's receipt.",
    schema: { type: "string" },
  },
  requestId: {
    name: "X-Request-Id",
    in: "header",
    description: "Comes back in the answer, and stands in the log.",
    schema: { type: "string", pattern: "^[\\w.:+/=~-]{1,128}$" },
  },
};

const formsNote =
  "An `application/x-www-form-urlencoded` body in which no field is called to, type, body or html is the message's text as it stands, as `curl -d` sends it.";

type ParameterName = keyof typeof parameters;

function message(operationId: string, summary: string, names: readonly ParameterName[]): Json {
  const { 201: _, 207: __, ...refusals } = messageResponses;
  return {
    ...operation(operationId, summary, "messages", names),
    requestBody: { required: true, description: formsNote, content: contentOf(names) },
    responses: { 201: receipt, 207: someRefused, ...problemReferences("Problem", Object.keys(refusals)) },
  };
}

function restMessage(operationId: string, summary: string, names: readonly ParameterName[]): Json {
  const { 202: taken, 207: _, ...refusals } = restResponses;
  const stanza = '<message to="bob@example.com"><body>Server@host has just crashed!</body></message>';
  return {
    ...operation(operationId, summary, "mod_rest", names),
    requestBody: {
      required: true,
      description: formsNote,
      content: { ...contentOf(names), [stanzaMediaType]: { schema: { type: "string" }, example: stanza } },
    },
    responses: {
      207: someRefused,
      202: { description: taken.description ?? "", headers: { "X-Request-Id": reference("headers", "RequestId") } },
      ...problemReferences("RestProblem", Object.keys(refusals)),
    },
  };
}

function operation(operationId: string, summary: string, tag: string, names: readonly ParameterName[]): Json {
  const all: readonly ParameterName[] = [...names, "prefer", "requestId"];
  return { operationId, summary, tags: [tag], parameters: all.map((name) => reference("parameters", name)) };
}

/** The text alone only where the path says to whom it goes. */
function contentOf(names: readonly ParameterName[]): Json {
  const text = "Server@host has just crashed!";
  const toPath = names.includes("recipient");
  const fields = { ...(toPath ? {} : { to: "bob@example.com" }), body: text };
  const form = { schema: reference("schemas", "MessageForm"), example: fields };
  return {
    ...(toPath ? { "text/plain": { schema: { type: "string", minLength: 1 }, example: text } } : {}),
    "application/json": { schema: reference("schemas", "Message"), example: fields },
    "application/x-www-form-urlencoded": form,
    "multipart/form-data": form,
  };
}

const sent = {
  id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
  from: "alice@example.com",
  to: "bob@example.com",
  type: "chat",
};

const result = { to: sent.to, status: 201, id: sent.id, type: sent.type };

const receipt: Json = {
  description: "The sender's server has taken responsibility for the message. Empty with `Prefer: return=minimal`.",
  headers: { "X-Request-Id": reference("headers", "RequestId") },
  content: {
    "application/json": {
      schema: { anyOf: [reference("schemas", "Receipt"), reference("schemas", "Results")] },
      examples: {
        taken: { value: sent },
        received: { summary: "with Prefer: wait", value: { ...sent, status: "received" } },
        several: { summary: "for several recipients", value: { results: [result] } },
      },
    },
  },
};

const refused: readonly Json[] = [
  {
    to: "nobody@example.com",
    status: 404,
    id: "5d2f1e0c-7f0e-4b0f-9d3e-2b7f6a1c9e11",
    code: "item_not_found",
    detail: problemExamples.item_not_found,
    outcome: "not_sent",
  },
];

const someRefused: Json = {
  description: "Of several recipients, some are refused: not a success. Read each result.",
  headers: { "X-Request-Id": reference("headers", "RequestId") },
  content: {
    "application/json": { schema: reference("schemas", "Results"), example: { results: [result, ...refused] } },
  },
};

function health(what: "live" | "ready", summary: string): Json {
  const schema = { type: "object", properties: { status: { const: what } }, required: ["status"] };
  return {
    operationId: what,
    summary,
    tags: ["health"],
    security: [],
    responses: {
      200: { description: "Yes.", content: { "application/json": { schema, example: { status: what } } } },
      ...(what === "ready" ? { 503: reference("responses", "Problem503") } : {}),
    },
  };
}
