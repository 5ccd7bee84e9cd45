/** An account's place in the cache: its session, and the password that the server has accepted for it. */

import { type Digest, sameDigest } from "./credential.ts";
import type { Session } from "./session.ts";

export interface Slot {
  /** Of the last password that the server accepted, or that its login under way was made with; undefined: void. */
  digest: Digest | undefined;
  /** When its last proof began, or its login ended, on the clock of performance.now(). */
  provenMs: number;
  /** From where it was used last, and when that was told to the throttles. */
  usedFrom?: string | undefined;
  toldMs?: number;
  /** Whose request began its login. */
  readonly from: string;
  /** Its login has to wait for nobody: the credentials were known there. */
  readonly known: boolean;
  /** Other passwords that came from there while its login was under way. */
  guesses: number;
  readonly session: Session;
  /** Resolves when the session has logged in; rejects with the login's Failure. */
  readonly ready: Promise<Session>;
}

/**
 * Whether the server has accepted this very password within the `verify` time, or a login with it is under way, of which all
 * who wait for it learn together whether it was right.
 */
export function vouchesFor(slot: Slot, digest: Digest, verifyMs: number): boolean {
  if (slot.digest === undefined || slot.session.over || !sameDigest(slot.digest, digest)) return false;
  return !slot.session.begun || performance.now() - slot.provenMs < verifyMs;
}
