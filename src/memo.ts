/**
 * Remembers what a function without side effects has made of the texts that it was asked for last. The same few accounts,
 * recipients and paths come again and again, and to take one of them apart costs many times as much as to look it up.
 */

export interface MemoLimits {
  /** So many texts; of more, the one that came first goes first. */
  readonly most: number;
  /** Longer ones, in UTF-16 code units, are not remembered. */
  readonly longest: number;
}

/** What throws is not remembered. `Result` must not be changed by who gets it, and must not be undefined. */
export function remember<Result extends {}>(
  work: (text: string) => Result,
  { most, longest }: MemoLimits,
): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    if (text.length > longest) return work(text);
    const own = copyOf(text);
    const result = work(own);
    if (known.size >= most) {
      for (const first of known.keys()) {
        known.delete(first);
        break;
      }
    }
    known.set(own, result);
    return result;
  };
}

/** A piece of a long text, such as of a body, would keep the whole of it in memory. Lone surrogates stay what they are. */
function copyOf(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
