/** The person at the program, as the commands see them: main.ts has the real one. */

import { fstatSync, readFileSync, type Stats } from "node:fs";
import { StringDecoder } from "node:string_decoder";

export interface Terminal {
  /** Standard output is a terminal, and colour is not unwelcome (NO_COLOR, TERM=dumb). */
  readonly colour: boolean;
  /** The width of that terminal; undefined: it is none. */
  readonly columns: number | undefined;
  /** Asks without echo; undefined: standard input is no terminal. Resolves to undefined at Ctrl-C and Ctrl-D. */
  readonly askPassword: ((question: string) => Promise<string | undefined>) | undefined;
  /** All that can be read from a file descriptor. Throws an Error that says why it cannot be. */
  readDescriptor(descriptor: number): string;
}

/** The part of a terminal's input that is needed to read from it without echo. */
export interface RawInput {
  setRawMode(raw: boolean): unknown;
  on(event: "data", listener: (chunk: Buffer) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  off(event: "data", listener: (chunk: Buffer) => void): unknown;
  off(event: "end", listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** In raw mode the keys that a terminal acts on come as characters: Backspace, Ctrl-U, Enter, Ctrl-C, Ctrl-D. */
export function askWithoutEcho(
  question: string,
  input: RawInput,
  write: (text: string) => void,
): Promise<string | undefined> {
  const decoder = new StringDecoder("utf8");
  let typed: string[] = [];
  return new Promise((resolve) => {
    const end = (answer: string | undefined) => {
      input.off("data", take);
      input.off("end", hangUp);
      input.setRawMode(false);
      input.pause();
      write("\n");
      resolve(answer);
    };
    const hangUp = () => end(undefined);
    const take = (chunk: Buffer) => {
      for (const key of decoder.write(chunk)) {
        if (key === "\r" || key === "\n") return end(typed.join(""));
        if (key === "\x03" || key === "\x04") return hangUp();
        if (key === "\x7f" || key === "\b") typed.pop();
        else if (key === "\x15") typed = [];
        else if (key >= " ") typed.push(key);
      }
    };
    input.setRawMode(true);
    input.on("data", take);
    input.on("end", hangUp);
    input.resume();
    // Last: whoever sees the question may type at once.
    write(question);
  });
}

/** Throws an Error that says why it cannot be. */
export function readDescriptor(descriptor: number): string {
  if (!isHandedOver(descriptor)) throw new Error("it is not open");
  return readFileSync(descriptor, "utf8");
}

/** The runtime has descriptors of its own, for events, which nobody who starts the program can hand over. */
function isHandedOver(descriptor: number): boolean {
  let stats: Stats;
  try {
    stats = fstatSync(descriptor);
  } catch {
    return false;
  }
  return stats.isFile() || stats.isFIFO() || stats.isSocket() || stats.isCharacterDevice() || stats.isDirectory();
}
