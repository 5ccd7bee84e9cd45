/**
 * The Debian package, from the same folder and through the same install.sh as any other installation. The executable is
 * never stripped: that would cut off the program at the end of it and leave the runtime alone.
 */

import { createHash } from "node:crypto";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { run } from "./run.ts";

export interface DebianOptions {
  /** As package-folder.ts makes it. */
  readonly folder: string;
  readonly architecture: "amd64" | "arm64";
  readonly version: string;
  readonly time: Date;
  /** For the files until they are packed. */
  readonly scratch: string;
  /** Where the package goes. */
  readonly destination: string;
}

const sources = join(import.meta.dir, "debian");
const documents = "usr/share/doc/post-msg";

/** Its path. */
export async function makeDebianPackage(options: DebianOptions): Promise<string> {
  const { folder, architecture, scratch, destination, time } = options;
  const version = debianVersion(options.version);
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  await run(["sh", join(folder, "install.sh")], {
    env: {
      DESTDIR: scratch,
      PREFIX: "/usr",
      UNITDIR: "/lib/systemd/system",
      ZSHDIR: "/usr/share/zsh/vendor-completions",
    },
  });
  await followPolicy(scratch, version, time);
  await writeControl(scratch, architecture, version);
  await setModes(scratch);
  const file = join(destination, `post-msg_${version}_${architecture}.deb`);
  const epoch = String(time.getTime() / 1000);
  const build = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--threads-max=1", "--build", scratch, file];
  await run(build, { env: { SOURCE_DATE_EPOCH: epoch } });
  return file;
}

/** What comes before a release sorts before it. */
export function debianVersion(version: string): string {
  return version.replace("-dev.", "~dev.");
}

/** Documents where Debian looks for them, and compressed where it wants that. */
async function followPolicy(scratch: string, version: string, time: Date): Promise<void> {
  const at = (name: string) => join(scratch, documents, name);
  await rename(at("CHANGELOG.md"), at("changelog"));
  await cp(join(sources, "copyright"), at("copyright"));
  await rm(at("LICENSE"));
  const date = time.toUTCString().replace("GMT", "+0000");
  const entry = `post-msg (${version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- ${maintainer}  ${date}\n`;
  await Bun.write(at("changelog.Debian"), entry);
  await cp(join(sources, "lintian-overrides"), join(scratch, "usr/share/lintian/overrides/post-msg"));
  const manuals = join(scratch, "usr/share/man");
  await run(["gzip", "-9n", at("changelog"), at("changelog.Debian"), join(manuals, "man1/post-msg.1")]);
  await run(["gzip", "-9n", join(manuals, "man5/post-msg.toml.5"), at("LICENSES.txt")]);
}

const maintainer = "The post-msg maintainers <maintainers@post-msg.example>";

async function writeControl(scratch: string, architecture: string, version: string): Promise<void> {
  const control = join(scratch, "DEBIAN");
  const files = await filesBelow(scratch);
  const sizes = await Promise.all(files.map(async (file) => Math.ceil((await stat(file)).size / 1024)));
  await mkdir(control);
  const fields = (await readFile(join(sources, "control"), "utf8"))
    .replace("@VERSION@", version)
    .replace("@ARCHITECTURE@", architecture)
    .replace("@MAINTAINER@", maintainer)
    .replace("@SIZE@", String(sizes.reduce((sum, size) => sum + size, 0)));
  await Bun.write(join(control, "control"), fields);
  await Bun.write(join(control, "conffiles"), "/etc/post-msg/post-msg.toml\n");
  for (const name of ["postinst", "prerm", "postrm"]) await cp(join(sources, name), join(control, name));
  const sums = files
    .map((file) => ({ file, path: relative(scratch, file) }))
    .filter(({ path }) => !path.startsWith("etc/"))
    .map(
      async ({ file, path }) =>
        `${createHash("md5")
          .update(await readFile(file))
          .digest("hex")}  ${path}\n`,
    );
  await Bun.write(join(control, "md5sums"), (await Promise.all(sums)).join(""));
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function setModes(scratch: string): Promise<void> {
  const programs = ["usr/bin/post-msg", "DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm"].map((path) =>
    join(scratch, path),
  );
  for (const entry of await readdir(scratch, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    await chmod(path, entry.isDirectory() || programs.includes(path) ? 0o755 : 0o644);
  }
  await chmod(scratch, 0o755);
}
