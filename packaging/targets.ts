/** The machines that there is a download for. */

export interface Target {
  /** In the name of its archive. */
  readonly name: string;
  /** In Bun's words. */
  readonly bun: string;
  /** The npm package with its runtime, as packaging/runtimes/bun.lock pins it. */
  readonly runtime: string;
  /** Debian's name of the architecture; undefined: there is no Debian package for it. */
  readonly debian?: "amd64" | "arm64";
}

/**
 * One executable for x64, with and without AVX2: Bun's two builds have become one that looks at the processor while it
 * runs. It is made from the one that still promises that.
 */
export const targets: readonly Target[] = [
  { name: "linux-x64", bun: "bun-linux-x64-baseline", runtime: "@oven/bun-linux-x64-baseline", debian: "amd64" },
  { name: "linux-arm64", bun: "bun-linux-arm64", runtime: "@oven/bun-linux-aarch64", debian: "arm64" },
  { name: "linux-x64-musl", bun: "bun-linux-x64-musl-baseline", runtime: "@oven/bun-linux-x64-musl-baseline" },
  { name: "linux-arm64-musl", bun: "bun-linux-arm64-musl", runtime: "@oven/bun-linux-aarch64-musl" },
  { name: "macos-arm64", bun: "bun-darwin-arm64", runtime: "@oven/bun-darwin-aarch64" },
  { name: "macos-x64", bun: "bun-darwin-x64", runtime: "@oven/bun-darwin-x64" },
];
