/** The errors that a SCRAM server may name in its last message -> our codes. */

import { Failure } from "../../errors.ts";
import { type Row, rowOf, saslFailure } from "../conditions.ts";

/** `server-error-value` of RFC 5802 section 7. */
export type ScramError =
  | "invalid-encoding"
  | "extensions-not-supported"
  | "invalid-proof"
  | "channel-bindings-dont-match"
  | "server-does-support-channel-binding"
  | "channel-binding-not-supported"
  | "unsupported-channel-binding-type"
  | "unknown-user"
  | "invalid-username-encoding"
  | "no-resources"
  | "other-error";

export function scramFailure(error: string, host: string): Failure {
  const cause = new Error(`SCRAM: e=${error.slice(0, 200)}`);
  const [code, ending] = rowOf(rows, error, "other-error");
  // The very sentence of <not-authorized/>, so that no way of refusing tells an unknown account from a wrong password.
  if (code === "credentials_rejected") return saslFailure("not-authorized", host, cause);
  return new Failure(code, `The login at "${host}" was refused: ${ending}.`, { cause });
}

const rejected: Row = ["credentials_rejected", ""];
const notUnderstood: Row = ["login_failed", "the server did not understand what the gateway sent"];
const noBinding: Row = ["login_failed", "the server does not take the channel binding it offered"];

const rows: Readonly<Record<ScramError, Row>> = {
  "invalid-encoding": notUnderstood,
  "extensions-not-supported": notUnderstood,
  "invalid-proof": rejected,
  "channel-bindings-dont-match": [
    "login_failed",
    "the encrypted connection does not end at the server itself but at something in between",
  ],
  "server-does-support-channel-binding": [
    "login_failed",
    "something on the way has removed the server's channel-binding mechanisms from its offer",
  ],
  "channel-binding-not-supported": noBinding,
  "unsupported-channel-binding-type": noBinding,
  "unknown-user": rejected,
  "invalid-username-encoding": notUnderstood,
  "no-resources": ["login_temporarily_failed", "the server lacks the resources for a login at the moment"],
  "other-error": ["login_failed", "the server gave a reason that the gateway does not know"],
};
