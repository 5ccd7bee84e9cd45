/**
 * From the source to one executable: `compile.ts` builds ./post-msg for this machine, dist.ts builds for all targets.
 * The same commit makes the same bytes.
 */

import { join } from "node:path";
import { version } from "./version.ts";

export interface CompileOptions {
  readonly outfile: string;
  readonly version: string;
  /** For another machine: its name in Bun's words, and the runtime of this very version that it gets. */
  readonly target?: { readonly name: string; readonly runtime: string };
  /** Where to write which modules are inside. */
  readonly metafile?: string;
}

const root = join(import.meta.dir, "..");

/** Rejects, with what Bun said, when it cannot be built. */
export async function compile({ outfile, version, target, metafile }: CompileOptions): Promise<void> {
  const child = Bun.spawn([process.execPath, "build", ...options(), "src/main.ts", "--outfile", outfile], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`bun build ended with ${code} for ${outfile}:\n${output}${errors}`);

  function options(): readonly string[] {
    return [
      "--compile",
      // Identifiers keep their names: Elysia reads the source of its handlers.
      "--minify-whitespace",
      "--minify-syntax",
      "--format=esm",
      "--bytecode",
      "--sourcemap=none",
      // The executable must not read a .env or bunfig.toml of the folder that it is started in.
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      // Two packages would have the folder of this build written into them; nothing is looked for there.
      '--define=__dirname="/post-msg"',
      `--define=POST_MSG_VERSION=${JSON.stringify(version)}`,
      ...(target === undefined ? [] : [`--target=${target.name}`, `--compile-executable-path=${target.runtime}`]),
      ...(metafile === undefined ? [] : [`--metafile=${metafile}`]),
    ];
  }
}

if (import.meta.main) await compile({ outfile: "post-msg", version: version(), metafile: "build/modules.json" });
