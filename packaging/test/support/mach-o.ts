/** The signature of a macOS executable (64 bits, one architecture): whether what it says of each page is true. */

import { createHash } from "node:crypto";

export interface Signature {
  readonly pages: number;
  /** Those that are not what was signed; macOS ends a program that comes to one. */
  readonly wrongPages: number;
}

const headerBytes = 32;
const codeSignatureCommand = 0x1d;
const codeDirectoryMagic = 0xfade0c02;

/** Undefined: there is none. */
export function readSignature(file: Uint8Array): Signature | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const commands = view.getUint32(16, true);
  let at = headerBytes;
  for (let index = 0; index < commands; index++) {
    if (view.getUint32(at, true) === codeSignatureCommand) return checkPages(file, view, view.getUint32(at + 8, true));
    at += view.getUint32(at + 4, true);
  }
  return undefined;
}

/** From here on, numbers are the other way round: a table of parts, one of which has a digest of every page. */
function checkPages(file: Uint8Array, view: DataView, start: number): Signature {
  const parts = Array.from({ length: view.getUint32(start + 8) }, (_, index) => {
    return start + view.getUint32(start + 12 + index * 8 + 4);
  });
  const directory = parts.find((part) => view.getUint32(part) === codeDirectoryMagic);
  if (directory === undefined) throw new Error("The signature has no code directory.");
  const digests = directory + view.getUint32(directory + 16);
  const pages = view.getUint32(directory + 28);
  const limit = view.getUint32(directory + 32);
  const digestBytes = view.getUint8(directory + 36);
  const pageBytes = 2 ** view.getUint8(directory + 39);
  let wrongPages = limit === start ? 0 : 1;
  for (let page = 0; page < pages; page++) {
    const content = file.subarray(page * pageBytes, Math.min(limit, (page + 1) * pageBytes));
    const digest = createHash("sha256").update(content).digest();
    const signed = file.subarray(digests + page * digestBytes, digests + (page + 1) * digestBytes);
    if (Buffer.compare(digest, signed) !== 0) wrongPages++;
  }
  return { pages, wrongPages };
}
