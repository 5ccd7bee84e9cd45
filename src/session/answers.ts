/** What a caller is told when its message did not get through a session: one sentence each. */

import { Failure } from "../errors.ts";
import type { Jid } from "../jid.ts";
import { alwaysTakenBytes } from "./recovery.ts";

/** The same for an account that does not exist, whether the server said so or memory. */
export function rejected({ domain }: Jid, cause?: unknown): Failure {
  const detail = `The login at "${domain}" was refused: this account and password were not accepted.`;
  return new Failure("credentials_rejected", detail, { cause });
}

export function stopping(): Failure {
  return new Failure("shutting_down", "post-msg is being stopped and takes no more messages.");
}

export function allBusy(sessions: number): Failure {
  const detail = `All ${sessions} sessions of this gateway are busy; another account has to wait.`;
  return new Failure("overloaded", detail);
}

export function closed({ domain }: Jid, cause: Failure | undefined): Failure {
  const detail = `The connection to the XMPP server of "${domain}" ended before the message was sent.`;
  return new Failure("stream_closed", detail, { cause });
}

export function connectionLost({ domain }: Jid, to: Jid, cause: Failure): Failure {
  const detail = `The connection to the XMPP server of "${domain}" was lost before it acknowledged the message to "${to.full}", which may or may not have been sent.`;
  return new Failure("connection_lost", detail, { cause });
}

export function unacknowledged({ domain }: Jid, to: Jid): Failure {
  const detail = `The XMPP server of "${domain}" did not acknowledge the message to "${to.full}" in time; it may or may not have been sent.`;
  return new Failure("ack_timeout", detail);
}

/** `cause`: why the copy cannot come any more; undefined: it did not come in time. */
export function uncopied({ full }: Jid, cause?: Failure): Failure {
  const silence = cause === undefined ? "in time" : "before the connection was lost";
  const detail = `The server took the message to "${full}", and the room did not show it ${silence}; it may or may not have been sent.`;
  return new Failure("room_silent", detail, { cause });
}

/** Not handled by the server, and not to be sent before the room is entered again. */
export function leftBehind({ full }: Jid, cause: Failure): Failure {
  const detail = `The connection was lost before the message to "${full}" was sent, and the room with it.`;
  return new Failure("stream_closed", detail, { cause });
}

export function notBack({ domain }: Jid, away: Failure | undefined): Failure {
  const detail = `The connection to the XMPP server of "${domain}" was lost and did not come back in time; nothing was sent.`;
  return away === undefined ? new Failure("withdrawn", detail) : withdrawnOver(away, detail);
}

export function roomUnanswering({ full }: Jid): Failure {
  const detail = `The room "${full}" could not be entered: it did not answer in time, as a room would.`;
  return new Failure("remote_server_timeout", detail);
}

export function roomSlow({ full }: Jid): Failure {
  const detail = `The room "${full}" could not be entered in time: it was slow to answer who came before, under other nicks.`;
  return new Failure("remote_server_timeout", detail);
}

export function noSuchRoom({ full }: Jid): Failure {
  return new Failure("no_such_room", `There is no room "${full}"; the field "create_room" would make one.`);
}

export function leftRoom({ full }: Jid): Failure {
  return new Failure("temporarily_refused", `The room "${full}" could not be entered: it closed again at once.`);
}

export function tooManyRooms({ bare }: Jid, rooms: number): Failure {
  return new Failure("overloaded", `"${bare}" is busy in ${rooms} rooms, which is all that one account may be in.`);
}

/** Of a connection, not of a message. */
export function silent({ domain }: Jid): Failure {
  return new Failure("stream_closed", `The XMPP server of "${domain}" has stopped acknowledging.`);
}

export function withdrawn(to: Jid, why: string): Failure {
  return new Failure("withdrawn", `The message to "${to.full}" was not sent, because ${why}.`);
}

/** `away`: why the connection that it waited for is not back. */
export function stillAway({ full }: Jid, away: Failure): Failure {
  return withdrawnOver(away, `The message to "${full}" was not sent, because the connection was lost and is not back.`);
}

/** `stream_closed` would be tried again at once. */
function withdrawnOver(away: Failure, detail: string): Failure {
  const code = away.code === "stream_closed" ? "withdrawn" : away.code;
  return new Failure(code, `${detail} ${away.message}`, { cause: away });
}

export function idInUse(id: string): Failure {
  return new Failure("conflict", `A message with the id "${id}" is on its way already; each needs its own.`);
}

export function queueFull({ bare }: Jid, pending: number): Failure {
  const detail = `"${bare}" has ${pending} messages on their way, which is all that is kept for one account.`;
  return new Failure("overloaded", detail);
}

export function tooLarge(bytes: number, limit: number): Failure {
  const detail = `The message makes a stanza of ${bytes} bytes, where the XMPP server takes at most ${limit}.`;
  return new Failure("stanza_too_large", detail);
}

/** The server ended the stream over this message twice, the second time with nothing else on the stream. */
export function poisonous(to: Jid, bytes: number, cause: Failure): Failure {
  const code = bytes > alwaysTakenBytes ? "stanza_too_large" : "stanza_complaint";
  const detail = `The message to "${to.full}" was not sent: the XMPP server ends the connection when it comes (${bytes} bytes).`;
  return new Failure(code, detail, { cause });
}

export function stoppedUnacknowledged(to: Jid): Failure {
  const detail = `post-msg was stopped before the message to "${to.full}" was acknowledged; it may or may not have been sent.`;
  return new Failure("shutdown_unacknowledged", detail);
}

export function stoppedUnsent(to: Jid): Failure {
  return new Failure("shutting_down", `post-msg was stopped before the message to "${to.full}" was sent.`);
}
