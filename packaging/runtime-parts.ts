/**
 * What is linked into the runtime that every executable contains, by the runtime's own account (LICENSE.md of
 * github.com/oven-sh/bun). Looked through whenever the runtime's version is raised.
 */

export interface RuntimePart {
  readonly name: string;
  /** SPDX; undefined: several, which stand where `source` leads. */
  readonly licence: string | undefined;
  readonly source: string;
}

export const runtimeSource = "https://github.com/oven-sh/bun";

export const runtimeParts: readonly RuntimePart[] = [
  { name: "JavaScriptCore", licence: "LGPL-2.0-only", source: "https://github.com/oven-sh/WebKit" },
  { name: "boringssl", licence: undefined, source: "https://boringssl.googlesource.com/boringssl" },
  { name: "brotli", licence: "MIT", source: "https://github.com/google/brotli" },
  { name: "c-ares", licence: "MIT", source: "https://github.com/c-ares/c-ares" },
  { name: "highway", licence: "Apache-2.0", source: "https://github.com/google/highway" },
  { name: "libarchive", licence: undefined, source: "https://github.com/libarchive/libarchive" },
  { name: "libbase64", licence: "BSD-2-Clause", source: "https://github.com/aklomp/base64" },
  { name: "libdeflate", licence: "MIT", source: "https://github.com/ebiggers/libdeflate" },
  { name: "libicu", licence: "Unicode-3.0", source: "https://github.com/unicode-org/icu" },
  { name: "libjpeg-turbo", licence: undefined, source: "https://github.com/libjpeg-turbo/libjpeg-turbo" },
  { name: "libspng", licence: "BSD-2-Clause", source: "https://github.com/randy408/libspng" },
  { name: "libwebp", licence: "BSD-3-Clause", source: "https://github.com/webmproject/libwebp" },
  { name: "lol-html", licence: "BSD-3-Clause", source: "https://github.com/cloudflare/lol-html" },
  { name: "ls-hpack", licence: "MIT", source: "https://github.com/litespeedtech/ls-hpack" },
  { name: "ls-qpack", licence: "MIT", source: "https://github.com/litespeedtech/ls-qpack" },
  { name: "lsquic", licence: "MIT AND BSD-3-Clause", source: "https://github.com/litespeedtech/lsquic" },
  { name: "mimalloc", licence: "MIT", source: "https://github.com/microsoft/mimalloc" },
  { name: "picohttpparser", licence: "MIT", source: "https://github.com/h2o/picohttpparser" },
  { name: "simdutf", licence: "Apache-2.0", source: "https://github.com/simdutf/simdutf" },
  { name: "tinycc", licence: "LGPL-2.1-only", source: "https://github.com/tinycc/tinycc" },
  { name: "uSockets", licence: "Apache-2.0", source: "https://github.com/uNetworking/uSockets" },
  { name: "uucode", licence: "MIT", source: "https://github.com/jacobsandlund/uucode" },
  { name: "uWebSockets", licence: "Apache-2.0", source: "https://github.com/uNetworking/uWebSockets" },
  { name: "zlib-ng", licence: "Zlib", source: "https://github.com/zlib-ng/zlib-ng" },
  { name: "zstd", licence: "BSD-3-Clause", source: "https://github.com/facebook/zstd" },
];
