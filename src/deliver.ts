/** Steps 5 to 7 of a request: the sender's session, onto the stream, the server's word. */

import { type Caller, type HangUp, Patience } from "./caller.ts";
import { Failure } from "./errors.ts";
import type { Jid } from "./jid.ts";
import type { Credentials, Destination, Message, Receipt } from "./message.ts";
import type { Times } from "./request-log.ts";

export interface DeliverParts {
  /** The sender's live session; rejects with a Failure. */
  openSession(credentials: Credentials, clientAddress: string): DeliverSession | Promise<DeliverSession>;
  toStanza(message: Message): string;
  /** What the server of a domain takes in one stanza, in bytes. */
  maxStanzaBytes(domain: string): number;
}

interface DeliverSession {
  /** Asked where the type of a message does not tell. */
  destinationOf(to: Jid): Destination | Promise<Destination>;
  send(outgoing: Outgoing, hangUp: HangUp): Promise<void>;
  /** What comes back for a message after it was taken. */
  watch(id: string, to: Jid): { readonly outcome: Promise<"received" | "over" | Failure>; stop(): void };
}

interface Outgoing {
  readonly id: string;
  readonly to: Jid;
  readonly stanza: string;
  /** Written to as the message gets on. */
  readonly times?: Times;
  /** For a room, or for somebody in one: how it is entered first. */
  readonly room?: RoomWish | undefined;
}

interface RoomWish {
  readonly nick: string;
  readonly password: string | undefined;
  readonly create: boolean;
}

export interface DeliverRequest {
  readonly credentials: Credentials;
  readonly message: Message;
  /** Where the request came from, as far as throttles tell callers apart. */
  readonly clientAddress: string;
  /** How long to wait for the recipient's receipt, in milliseconds; 0: not at all. */
  readonly waitMs: number;
  readonly caller: Caller;
  /** Written to as the message gets on. */
  readonly times?: Times;
  /** It is the same message as another one of its request, for somebody else. */
  readonly isCopy?: boolean;
}

export type Deliver = (request: DeliverRequest) => Promise<Receipt>;

/** A cached session can turn out to be over; the message is then given to a fresh one, once. */
const maxAttempts = 2;

export function createDeliver(parts: DeliverParts): Deliver {
  return async function deliver(request) {
    const { credentials, message, clientAddress, isCopy } = request;
    const times = request.times ?? {};
    const patience = new Patience(request.caller);
    const writeStanza = () => {
      const stanza = parts.toStanza(message);
      refuseTooLarge(stanza, parts.maxStanzaBytes(credentials.account.domain));
      return stanza;
    };
    // Before the login, which may be a guesser's, once a request: a hundred copies cost a hundred times as much.
    let stanza = isCopy ? undefined : writeStanza();
    for (let attempt = 1; ; attempt++) {
      const opened = parts.openSession(credentials, clientAddress);
      // Not kept through a wait in which thousands may join.
      if (opened instanceof Promise) stanza = undefined;
      const session = opened instanceof Promise ? await timed(times, opened) : opened;
      times.loginMs ??= 0;
      stanza ??= writeStanza();
      try {
        const found = whereTo(session, message);
        const destination = found instanceof Promise ? await found : found;
        const sent = typed(message, destination);
        const { id, to, type } = sent;
        const outgoing: Outgoing = {
          id,
          to,
          times,
          stanza: sent === message ? stanza : parts.toStanza(sent),
          room: destination === "elsewhere" ? undefined : roomWish(sent, credentials.account),
        };
        const status =
          request.waitMs === 0
            ? await session.send(outgoing, patience)
            : await sendAndWait(session, outgoing, patience, request);
        return { id, from: credentials.account.bare, to: to.full, type, ...(status === undefined ? {} : { status }) };
      } catch (error) {
        // Only this code says that not a byte of the message was written.
        const unwritten = error instanceof Failure && error.code === "stream_closed";
        if (!unwritten || attempt === maxAttempts) throw error;
      }
    }
  };
}

/** A second attempt adds to the time of the first. */
async function timed<T>(times: Times, session: Promise<T>): Promise<T> {
  const startedMs = performance.now();
  try {
    return await session;
  } finally {
    times.loginMs = (times.loginMs ?? 0) + performance.now() - startedMs;
  }
}

/** And until the recipient's receipt has come, or will not come in time. */
async function sendAndWait(
  session: DeliverSession,
  outgoing: Outgoing,
  patience: HangUp,
  { waitMs, caller }: DeliverRequest,
): Promise<"received" | "accepted"> {
  const watch = session.watch(outgoing.id, outgoing.to);
  try {
    await session.send(outgoing, patience);
    const outcome = await firstOf(watch.outcome, waitMs, caller.signal);
    if (outcome instanceof Failure) throw outcome;
    return outcome === "received" ? "received" : "accepted";
  } finally {
    watch.stop();
  }
}

/** Only a message of no type, or for a resource, may be for a room or somebody in one without saying so. */
function whereTo(session: DeliverSession, { to, type, untyped }: Message): Destination | Promise<Destination> {
  if (type === "groupchat") return "room";
  return untyped || to.resource !== undefined ? session.destinationOf(to) : "elsewhere";
}

function typed(message: Message, destination: Destination): Message {
  if (destination === "room" && message.untyped) return { ...message, type: "groupchat" };
  if (message.type !== "groupchat" || message.to.resource === undefined) return message;
  throw new Failure(
    "bad_type",
    `A message of type "groupchat" is for a room, and "${message.to.full}" is somebody in one; another type is needed.`,
  );
}

function roomWish({ extensions, room }: Message, account: Jid): RoomWish {
  const nick = extensions?.nick ?? account.local ?? account.domain;
  return { nick, password: room?.password, create: room?.create ?? false };
}

/** Undefined when nothing came in time, or the caller has hung up. */
async function firstOf<T>(outcome: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T | undefined> {
  // Of one that has aborted already, no event comes.
  if (signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const giveUp = () => resolve(undefined);
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await Promise.race([outcome, promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

function refuseTooLarge(stanza: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(stanza);
  if (bytes <= maxBytes) return;
  throw new Failure(
    "stanza_too_large",
    `The message makes a stanza of ${bytes} bytes, where the XMPP server takes at most ${maxBytes}.`,
  );
}
