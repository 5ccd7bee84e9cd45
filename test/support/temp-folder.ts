/** A folder of its own for each test server. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempFolder {
  readonly path: string;
  /** Writes a file into the folder, readable by nobody else, and returns its path. */
  write(name: string, content: string): Promise<string>;
  remove(): Promise<void>;
}

export async function makeTempFolder(prefix = "post-msg-test-"): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  return {
    path,
    write: async (name, content) => {
      const file = join(path, name);
      await Bun.write(file, content, { mode: 0o600 });
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
