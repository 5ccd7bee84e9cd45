/** Why a room does not let us in (XEP-0045 section 7.2): where a condition means something else there than for a message. */

import type { Failure } from "../errors.ts";
import { type Row, refusal, stanzaRow } from "./conditions.ts";

/** `<presence type="error"/>` in answer to the wish to enter `room`. */
export function roomFailure(condition: string, errorType: string | undefined, room: string, cause: unknown): Failure {
  const full = errorType === "wait" && (condition === "service-unavailable" || condition === "resource-constraint");
  const row = full ? roomFull : (rows.get(condition) ?? stanzaRow(condition));
  return refusal(`The room "${room}" could not be entered`, row, errorType, cause);
}

const roomFull: Row = ["room_full", "it has as many occupants as it may have, or its service has no room for more"];

const rows: ReadonlyMap<string, Row> = new Map<string, Row>([
  ["conflict", ["conflict", "somebody else has the nick there"]],
  ["forbidden", ["forbidden", "the sender is banned from it, or does not have the rights for it"]],
  ["item-not-found", ["no_such_room", "it does not exist, or is still being set up"]],
  ["not-acceptable", ["not_acceptable", "it wants a nick that is registered there"]],
  ["not-allowed", ["no_such_room", "it does not exist, and its service does not let the sender make one"]],
  ["not-authorized", ["room_password_needed", 'it has a password; the field "room_password" has to have it']],
  ["registration-required", ["registration_required", "it is for its members only"]],
  ["service-unavailable", ["service_unavailable", "there is no conference service that answers for it"]],
]);
