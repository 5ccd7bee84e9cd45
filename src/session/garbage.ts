/**
 * Gives the memory of many sessions that have ended back to the system. The engine collects garbage by how much is being
 * allocated, so a process that has become quiet would keep theirs for as long as it stays quiet.
 */

/** Of fewer, the memory is too little to matter. */
const many = 100;

export class Garbage {
  #ended = 0;
  #due = 0;

  /** A session has ended; its sockets may need a moment until they are gone too. */
  add(): void {
    this.#ended += 1;
  }

  /** To be called from time to time: takes away what has become garbage before the last call, if it is worth a pause. */
  collect(liveSessions: number): void {
    // gc(true) stops the program for some 50 ms for every thousand live sessions; gc(false) waits for the program to
    // allocate, which an idle one does not.
    if (this.#due >= Math.max(many, liveSessions)) {
      Bun.gc(true);
      this.#due = 0;
    }
    this.#due += this.#ended;
    this.#ended = 0;
  }
}
