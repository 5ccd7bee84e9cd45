/**
 * Gives the memory of many sessions that have ended back to the system. The engine collects garbage by how much is being
 * allocated, so a process that has become quiet would keep theirs for as long as it stays quiet.
 */

/** Of fewer, the memory is too little to matter. */
const many = 100;

export class Garbage {
  #ended = 0;
  #due = 0;
  #dueAgain = 0;

  /** A session has ended; its sockets may need a moment until they are gone too. */
  add(): void {
    this.#ended += 1;
  }

  /** To be called from time to time: takes away, twice, what has become garbage before the last call. */
  collect(): void {
    // Beside the program, not in its way: a few milliseconds where gc(true) would take a hundred. It may be taken for one
    // with a collection of new objects alone that is under way, hence twice.
    if (this.#due + this.#dueAgain >= many) Bun.gc(false);
    this.#dueAgain = this.#due;
    this.#due = this.#ended;
    this.#ended = 0;
  }
}
