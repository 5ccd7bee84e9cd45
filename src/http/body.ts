/** Reads a request's body, counting: bounded in size, and in time by a slowest rate that is still served. */

import { Failure } from "../errors.ts";
import { Arrivals, type GiveUp, slowestBytesPerSecond } from "./arrivals.ts";

const defaultGraceMs = 30_000;

export interface BodyLimits {
  /** Default 30 s. */
  readonly graceMs?: number;
  /** Where it is one of many. */
  readonly arrivals?: Arrivals;
}

/** Of bodies that make nobody give way. */
const others = new Arrivals();

/** Up to so many bytes a body is read in one piece, and has `graceMs` to come, which is never less than the slowest rate. */
const mostInOnePiece = 6_000;

/**
 * `maxBytes` holds for chunked bodies too. By any moment the caller must have sent what `slowestBytesPerSecond` makes of
 * the time beyond `graceMs`, so that a body can neither stall nor drip for ever.
 */
export function readBody(
  request: Request,
  maxBytes: number,
  { graceMs = defaultGraceMs, arrivals = others }: BodyLimits = {},
): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (Number(announced ?? 0) > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // Nearly all bodies. A stream for them would cost twice as much as all the rest of a request.
  if (isSmall(announced)) return readInOnePiece(request, graceMs, arrivals);
  if (request.body === null) return Promise.resolve(new Uint8Array());
  return readInPieces(request, request.body, maxBytes, graceMs, arrivals);
}

function readInOnePiece(request: Request, graceMs: number, arrivals: Arrivals): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const arrival = arrivals.begin(graceMs, (reason) => {
      unfinished.add(request);
      reject(reason === "late" ? tooSlow() : reason);
    });
    request.bytes().then(
      (bytes) => {
        arrivals.end(arrival);
        resolve(bytes);
      },
      (error) => {
        arrivals.end(arrival);
        reject(cutShort(error));
      },
    );
  });
}

async function readInPieces(
  request: Request,
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  graceMs: number,
  arrivals: Arrivals,
): Promise<Uint8Array> {
  const reader = body.getReader();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const giveUp: GiveUp = (reason) => reject(reason === "late" ? tooSlow(length) : reason);
  const arrival = arrivals.begin(graceMs, giveUp);
  try {
    for (;;) {
      const step = await Promise.race([reader.read(), cut]);
      if (step.done) return Buffer.concat(chunks);
      const { byteLength } = step.value;
      length += byteLength;
      if (length > maxBytes) throw tooLarge(maxBytes);
      arrival.received(byteLength);
      chunks.push(step.value);
    }
  } catch (error) {
    unfinished.add(request);
    // Nothing more is wanted of the body; a stream that has ended already may complain, and nobody needs to know.
    reader.cancel().catch(() => {});
    throw error instanceof Failure ? error : cutShort(error);
  } finally {
    arrivals.end(arrival);
  }
}

/** Whose bodies were begun and not read to their end. */
const unfinished = new WeakSet<Request>();
/** How long an answer that needs no body waits for the rest of it. */
const leftOverMs = 250;
const mostLeftOver = 256 * 1024;

/**
 * Before an answer that was given without the whole body: takes what is left of it, if it is there at once. False: it is
 * not, and the connection has to be closed (RFC 9112 section 9.3). HAProxy 2.6 uses a connection again whose last request
 * it has not sent whole; the next request, somebody else's, would be taken for the rest of that body.
 */
export async function takeLeftOver(request: Request): Promise<boolean> {
  if (unfinished.has(request)) return false;
  if (request.body === null || request.bodyUsed) return true;
  // Who asks before sending (RFC 9110 section 10.1.1) has been answered.
  if (request.headers.has("expect")) return false;
  if (isSmall(request.headers.get("content-length"))) {
    return readInOnePiece(request, leftOverMs, others).then(
      () => true,
      () => false,
    );
  }
  const reader = request.body.getReader();
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(late.resolve, leftOverMs, "late");
  try {
    for (let length = 0; length <= mostLeftOver; ) {
      const step = await Promise.race([reader.read(), late.promise]);
      if (step === "late") break;
      if (step.done) return true;
      length += step.value.byteLength;
    }
  } catch {
    // The caller has gone away; there is nothing to close.
  } finally {
    clearTimeout(timer);
  }
  reader.cancel().catch(() => {});
  return false;
}

function isSmall(announced: string | null): boolean {
  return announced !== null && Number(announced) <= mostInOnePiece;
}

function tooLarge(maxBytes: number): Failure {
  return new Failure(
    "body_too_large",
    `The body is larger than ${maxBytes} bytes, which is the most that [http] max_body allows.`,
  );
}

/** `length`: what had come, where that is known. */
function tooSlow(length?: number): Failure {
  const come = length === undefined ? "" : `${length} bytes had come; `;
  return new Failure(
    "upload_too_slow",
    `The body did not arrive in time: ${come}at least ${slowestBytesPerSecond} bytes/s are needed.`,
  );
}

function cutShort(cause: unknown): Failure {
  return new Failure("withdrawn", "The request ended before its body was complete; nothing was sent.", { cause });
}
