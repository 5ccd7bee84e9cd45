/**
 * The folder that is packed and that install.sh installs from: everything but the executable is the same for all
 * machines. `package-folder.ts FOLDER` makes it with ./post-msg, for `make install`.
 */

import { chmod, cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { readContents } from "./contents.ts";
import { writeDocuments } from "./documents/write.ts";
import { licencesFile } from "./licences.ts";

export interface PackageFolderOptions {
  readonly executable: string;
  /** What the build said is inside. */
  readonly metafile: string;
}

const root = join(import.meta.dir, "..");
const fromRoot = ["README.md", "CHANGELOG.md", "LICENSE", "docs"];
const fromHere = ["post-msg.service", "install.sh", "prometheus", "fail2ban"];

export async function makePackageFolder(folder: string, options: PackageFolderOptions): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const name of fromRoot) await cp(join(root, name), join(folder, name), { recursive: true });
  for (const name of fromHere) await cp(join(import.meta.dir, name), join(folder, name), { recursive: true });
  await cp(options.executable, join(folder, "post-msg"));
  await writeDocuments(folder);
  const packages = await readContents(options.metafile);
  await Bun.write(join(folder, "LICENSES.txt"), await licencesFile(packages, manifest.devDependencies.bun));
  await setModes(folder);
}

/** Not those of whoever builds it. */
async function setModes(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const runs = entry.isDirectory() || entry.name === "install.sh" || entry.name === "post-msg";
    await chmod(join(entry.parentPath, entry.name), runs ? 0o755 : 0o644);
  }
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error("package-folder.ts needs the folder to make.");
  await makePackageFolder(folder, { executable: join(root, "post-msg"), metafile: join(root, "build/modules.json") });
}
