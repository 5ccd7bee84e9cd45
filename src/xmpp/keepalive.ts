/** Notices that the other side has gone without a word: after a silence it is asked for one, and then has so long. */

export interface KeepaliveOptions {
  /** Milliseconds of silence before it is asked. */
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

export function startKeepalive({ silenceMs, answerMs, ask, giveUp }: KeepaliveOptions): Keepalive {
  let heardMs = performance.now();
  let askedMs: number | undefined;
  let timer = setTimeout(look, silenceMs);

  return {
    // As cheap as can be, since it is called for every element; the timer looks again when it runs out.
    heard: () => {
      heardMs = performance.now();
    },
    stop: () => clearTimeout(timer),
  };

  function look(): void {
    if (askedMs !== undefined && heardMs < askedMs) return giveUp();
    const silentMs = performance.now() - heardMs;
    askedMs = undefined;
    if (silentMs < silenceMs) {
      timer = setTimeout(look, silenceMs - silentMs);
      return;
    }
    askedMs = performance.now();
    timer = setTimeout(look, answerMs);
    ask();
  }
}
