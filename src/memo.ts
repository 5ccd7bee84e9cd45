/**
 * What was found out about texts that came lately. The same few accounts, recipients and paths come again and again, and
 * to take one of them apart costs many times as much as to look it up. What nobody asks for is forgotten: a few small
 * objects for each of thousands of accounts, once these are gone, keep large parts of the heap from being given back.
 */

export interface MemoLimits {
  /** At most so many texts; of more, those that were not used for longest go first. */
  readonly most: number;
  /** Milliseconds without use after which a text may be forgotten; after twice as long it is. Default: a minute. */
  readonly keepMs?: number;
}

const usualKeepMs = 60_000;

/** Two generations: what is used stands in the young one, and of the old one all is dropped at once. */
export class Memo<Value extends {}> {
  readonly #limits: Required<MemoLimits>;
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  #timer: Timer | undefined;

  constructor({ most, keepMs = usualKeepMs }: MemoLimits) {
    this.#limits = { most, keepMs };
  }

  /** Counts as use. */
  get(text: string): Value | undefined {
    const value = this.#young.get(text);
    if (value !== undefined) return value;
    const before = this.#old.get(text);
    if (before !== undefined) this.set(text, before);
    return before;
  }

  set(text: string, value: Value): void {
    if (this.#young.size >= this.#limits.most / 2) this.#turn();
    this.#young.set(text, value);
    // Not before there is something to forget, and no longer.
    this.#timer ??= setInterval(() => this.#tick(), this.#limits.keepMs).unref();
  }

  #tick(): void {
    this.#turn();
    if (this.#old.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}

/**
 * Remembers what a function without side effects has made of a text; what throws is not remembered, nor are texts of more
 * than `longest` UTF-16 code units. `Result` must not be changed by who gets it.
 */
export function remember<Result extends {}>(
  work: (text: string) => Result,
  { longest, ...limits }: MemoLimits & { readonly longest: number },
): (text: string) => Result {
  const memo = new Memo<Result>(limits);
  return (text) => {
    const before = memo.get(text);
    if (before !== undefined) return before;
    if (text.length > longest) return work(text);
    const own = copyOf(text);
    const result = work(own);
    memo.set(own, result);
    return result;
  };
}

/** A piece of a long text, such as of a body, would keep the whole of it in memory. Lone surrogates stay what they are. */
function copyOf(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
