/**
 * Notices that the other side has gone without a word: after a silence it is asked for one, and then has so long.
 *
 * One timer of the process looks after all connections. With a timer each, thousands of them would wake the process one
 * by one, and half of what an idle connection costs would be the waking.
 */

export interface KeepaliveOptions {
  /** Milliseconds of silence before it is asked; like the next, to a second. */
  readonly silenceMs: number;
  /** Milliseconds for the answer. */
  readonly answerMs: number;
  ask(): void;
  giveUp(): void;
}

export interface Keepalive {
  /** Something came. */
  heard(): void;
  stop(): void;
}

const lookMs = 1_000;
/** A process that did not run for so long has to read what came in the meantime before it judges anybody. */
const stalledMs = 2 * lookMs;

const watched = new Set<Watch>();
let timer: ReturnType<typeof setInterval> | undefined;
let lookedMs = 0;

export function startKeepalive(options: KeepaliveOptions): Keepalive {
  const watch = new Watch(options);
  watched.add(watch);
  if (timer === undefined) {
    lookedMs = performance.now();
    timer = setInterval(look, lookMs);
  }
  return watch;
}

class Watch implements Keepalive {
  readonly #options: KeepaliveOptions;
  #heardMs = performance.now();
  #askedMs: number | undefined;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  heard(): void {
    this.#heardMs = performance.now();
  }

  stop(): void {
    watched.delete(this);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  look(nowMs: number): void {
    const { silenceMs, answerMs } = this.#options;
    if (this.#askedMs !== undefined && this.#heardMs < this.#askedMs) {
      if (nowMs - this.#askedMs >= answerMs) this.#options.giveUp();
      return;
    }
    this.#askedMs = undefined;
    if (nowMs - this.#heardMs < silenceMs) return;
    this.#askedMs = nowMs;
    this.#options.ask();
  }
}

function look(): void {
  const nowMs = performance.now();
  const stalled = nowMs - lookedMs > stalledMs;
  lookedMs = nowMs;
  if (stalled) return;
  for (const watch of watched) watch.look(nowMs);
}
