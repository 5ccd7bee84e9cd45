/** The C library, for the few calls that neither Bun nor Node has a way to make. Linux alone, with glibc or musl. */

import { dlopen, type FFIFunction, type Library, ptr } from "bun:ffi";

/** Throws an Error that says why there is none. The caller unloads it with `close`. */
export function openLibc<Functions extends Record<string, FFIFunction>>(functions: Functions): Library<Functions> {
  const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  const names = process.platform === "linux" ? ["libc.so.6", musl] : [];
  for (const name of names) {
    try {
      return dlopen(name, functions);
    } catch {
      // The next one, or the error below.
    }
  }
  throw new Error(`there is no C library to call on ${process.platform}`);
}

/** What a pointer to these bytes is, inside of a structure; they have to be kept for as long as it is used. */
export function addressOf(bytes: NodeJS.TypedArray | DataView): bigint {
  return BigInt(ptr(bytes));
}
